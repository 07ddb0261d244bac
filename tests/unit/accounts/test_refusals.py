"""What is answered needs no request, no database, and in the worst case no static file."""

import json
from http import HTTPStatus

import pytest

from accounts import refusals
from accounts.errors import TooManyTries
from accounts.refusals import Refusal


@pytest.fixture
def no_static_files(settings, tmp_path):
    settings.STATIC_ROOT = tmp_path


@pytest.mark.parametrize("path", ["/api/", "/api/v1/account/login", "/sse/positions"])
def test_program_is_told_code_and_message(path):
    refusal = Refusal(HTTPStatus.IM_A_TEAPOT, "no_coffee", "There is “tea” <only>.", {"X-Tea": "1"})

    answer = refusals.answer(path, refusal)

    assert answer.status == 418
    assert answer.headers["Content-Type"] == "application/json"
    assert answer.headers["Content-Length"] == str(len(answer.body))
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["X-Tea"] == "1"
    assert json.loads(answer.body) == {
        "error": {"code": "no_coffee", "message": "There is “tea” <only>."}
    }


@pytest.mark.parametrize("path", ["/", "/api", "/apiary/", "/sse", "/admin/api/", ""])
def test_person_is_told_on_a_page(path):
    answer = refusals.answer(path, refusals.of_status(404))

    assert answer.headers["Content-Type"] == "text/html; charset=utf-8"
    assert answer.headers["Content-Length"] == str(len(answer.body))
    assert "<h1>Not found</h1>" in answer.body.decode()


def test_error_of_the_api_is_told_as_it_tells_itself():
    refusal = refusals.of_api_error(TooManyTries(17))

    assert refusal == Refusal(
        HTTPStatus.TOO_MANY_REQUESTS,
        "too_many_tries",
        "Too many failed tries from this address. Try again in 17 s.",
        {"Retry-After": "17"},
    )


@pytest.mark.parametrize("status", [status for status in HTTPStatus if status >= 400])
def test_every_error_has_a_page_a_code_and_a_sentence(no_static_files, status):
    refusal = refusals.of_status(status)

    page = refusals.answer("/", refusal).body.decode()

    assert refusal.code.isidentifier()
    assert refusal.message.endswith(".")
    assert refusal.message in page.replace("&#x27;", "'")


def test_page_without_static_files_is_bare_but_says_all(no_static_files, caplog):
    answer = refusals.answer("/", refusals.of_status(500))

    page = answer.body.decode()
    assert answer.status == 500
    assert "<h1>Something went wrong</h1>" in page
    assert "<p>The server could not answer because of an error of its own.</p>" in page
    assert "stylesheet" not in page
    assert "error page failed" in caplog.text


ODD = Refusal(HTTPStatus.BAD_REQUEST, "odd", "<script>{0}{title}</script>")


def test_message_is_text_whatever_it_holds():
    page = refusals.answer("/", ODD).body.decode()

    assert "&lt;script&gt;{0}{title}&lt;/script&gt;" in page


def test_message_is_text_on_the_bare_page_too(no_static_files):
    page = refusals.answer("/", ODD).body.decode()

    assert "&lt;script&gt;{0}{title}&lt;/script&gt;" in page


@pytest.mark.parametrize(
    ("status", "has_link"), [(404, False), (429, True), (500, True), (503, True), (400, False)]
)
def test_what_may_pass_the_next_time_can_be_tried_again(status, has_link):
    page = refusals.answer("/", refusals.of_status(status)).body.decode()

    assert ('<a href="">Try again</a>' in page) is has_link
