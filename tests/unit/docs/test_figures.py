"""`docs/figures.md` has every figure of the API."""

from config.api import api
from tests import reading

# Parts of an explanation, which the document on lists describes: whatever figure it is of.
OF_ANY_FIGURE = {"formula", "value"}


def test_every_figure_of_the_api_is_there():
    shapes = api.get_openapi_schema()["components"]["schemas"]
    figures = {
        name
        for shape in shapes.values()
        for name, about in shape.get("properties", {}).items()
        if "decimal" in str(about).lower()
    }
    document = reading.code(reading.text("docs/figures.md"))
    named = {part.rpartition(".")[2] for part in document}

    assert len(figures) > 40
    assert figures - named - OF_ANY_FIGURE == set()
