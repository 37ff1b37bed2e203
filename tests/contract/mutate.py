"""A pytest plugin that takes one rule out of our source while it is imported.

VEILLE_TEST_MUTATION=name python -m pytest -p tests.contract.mutate tests/...
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from types import CodeType, ModuleType

from hypothesis import Phase, settings

from tests.contract.rule import Rule
from tests.contract.rules import RULES


class _Loader(SourceFileLoader):
    """Compiles a module with one text replaced."""

    rule: Rule

    def get_code(self, fullname: str) -> CodeType:
        """Return the code without the rule."""
        source = self.get_data(self.path).decode()
        if source.count(self.rule.old) != 1:
            raise RuntimeError(f"the text of rule {self.rule.name} is not in {fullname} exactly once: see tests/contract/rules_of_*.py")
        return compile(source.replace(self.rule.old, self.rule.new), self.path, "exec")


class _Finder(PathFinder):
    """Finds the mutated module; everything else is found as ever."""

    rule: Rule

    @classmethod
    def find_spec(cls, fullname: str, path: Sequence[str] | None = None, target: ModuleType | None = None) -> ModuleSpec | None:
        """Return a spec for the rule's module alone."""
        if fullname != cls.rule.module:
            return None
        found = super().find_spec(fullname, path, target)
        assert found is not None
        assert found.origin is not None
        loader = _Loader(fullname, found.origin)
        loader.rule = cls.rule
        found.loader = loader
        return found


_Finder.rule = next(rule for rule in RULES if rule.name == os.environ["VEILLE_TEST_MUTATION"])
assert _Finder.rule.module not in sys.modules
sys.meta_path.insert(0, _Finder)
# The first counterexample does; nobody wants the smallest.
settings.register_profile("mutation", phases=[Phase.generate], database=None, derandomize=True)
settings.load_profile("mutation")
