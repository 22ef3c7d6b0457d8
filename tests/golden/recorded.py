"""What the golden tests of detection quality share: the repository's bench scripts as modules, and where the recordings are."""
import importlib.machinery
import importlib.util
import os
import sys
import unittest

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(ROOT, "tests", "bench"))


def script(name):
    """tests/bench/<name>, which has no ending, as a module."""
    path = os.path.join(ROOT, "tests", "bench", name)
    spec = importlib.util.spec_from_loader(name, importlib.machinery.SourceFileLoader(name, path))
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def data(name, holds):
    """A folder of the recordings, known by a file in it; without it the test is skipped by name, in CI it fails."""
    folder = os.path.join(os.environ.get("FMADS_TESTDATA") or os.path.join(ROOT, "..", "shared", "data"), name)
    if os.path.exists(os.path.join(folder, holds)):
        return folder
    if os.environ.get("CI") == "true":
        raise AssertionError("recorded data are not there: " + name)
    raise unittest.SkipTest("recorded data are not there: " + name)
