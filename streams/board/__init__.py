"""The crisis room: a web page of the crises at hand, for people. It reads what the topics say and decides nothing."""
