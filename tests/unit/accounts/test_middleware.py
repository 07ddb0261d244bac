from django.http import HttpResponse

from accounts.middleware import SessionCookieMiddleware
from accounts.sessions import RENEWED


async def test_asynchronous_response_carries_the_renewed_token(rf):
    async def view(request):
        request.META[RENEWED] = "token"
        return HttpResponse()

    response = await SessionCookieMiddleware(view)(rf.get("/"))

    assert response.cookies["session"].value == "token"


def test_synchronous_response_carries_the_renewed_token(rf):
    def view(request):
        request.META[RENEWED] = "token"
        return HttpResponse()

    response = SessionCookieMiddleware(view)(rf.get("/"))

    assert response.cookies["session"].value == "token"


def test_cookie_that_the_view_takes_away_is_not_given_back(rf):
    def view(request):
        request.META[RENEWED] = "token"
        response = HttpResponse()
        response.delete_cookie("session")
        return response

    response = SessionCookieMiddleware(view)(rf.get("/"))

    assert response.cookies["session"].value == ""


def test_response_without_a_renewed_token_sets_no_cookie(rf):
    response = SessionCookieMiddleware(lambda request: HttpResponse())(rf.get("/"))

    assert not response.cookies
