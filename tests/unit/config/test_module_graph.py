"""What a page names ahead is what its modules import, no more and no less."""

import pytest

from config.module_graph import imported, module_graph


@pytest.mark.parametrize(
    ("statement", "found"),
    [
        pytest.param('import { a } from "./a.js";', ["js/a.js"], id="names"),
        pytest.param('import {\n  a,\n  b as c,\n} from "./a.js";', ["js/a.js"], id="many lines"),
        pytest.param('import * as a from "./a.js";', ["js/a.js"], id="all of it"),
        pytest.param('import a from "../a.js";', ["a.js"], id="default, from a folder above"),
        pytest.param('import "./parts/a.js";', ["js/parts/a.js"], id="for its effect"),
        pytest.param('export { a } from "./a.js";', ["js/a.js"], id="passed on"),
        pytest.param('export * from "./a.js";', ["js/a.js"], id="all passed on"),
        pytest.param(" * @typedef {import('./a.js').A} A", [], id="a type in a comment"),
        pytest.param(' * import { a } from "./a.js";', [], id="an example in a comment"),
        pytest.param('// import "./a.js";', [], id="commented out"),
        pytest.param('const a = await import("./a.js");', [], id="later"),
        pytest.param('import("./a.js");', [], id="later, at the start of a line"),
        pytest.param('export const address = "./a.js";', [], id="a text"),
        pytest.param('export function from() {\n  return "./a.js";\n}', [], id="a function"),
        pytest.param('import { a } from "a";', [], id="by no address"),
    ],
)
def test_module_is_found_where_it_is_imported_before_anything_runs(statement, found):
    assert imported("js/page.js", f"// @ts-check\n{statement}\n") == found


def test_graph_names_each_module_once_and_the_nearest_first():
    texts = {
        "js/page.js": 'import "./store.js";\nimport "./parts/card.js";\n',
        "js/store.js": 'import "./decimal.js";\n',
        "js/parts/card.js": 'import "../format.js";\nimport "../decimal.js";\n',
        "js/format.js": 'import "./decimal.js";\n',
        "js/decimal.js": "export const ZERO = 0;\n",
    }

    assert module_graph("js/page.js", texts.__getitem__) == [
        "js/store.js",
        "js/parts/card.js",
        "js/decimal.js",
        "js/format.js",
    ]


def test_module_that_imports_nothing_needs_nothing():
    assert module_graph("js/page.js", lambda name: "") == []


def test_modules_in_a_circle_are_named_once():
    texts = {"a.js": 'import "./b.js";', "b.js": 'import "./a.js";\nimport "./b.js";'}

    assert module_graph("a.js", texts.__getitem__) == ["b.js"]
