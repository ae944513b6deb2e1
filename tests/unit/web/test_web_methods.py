import pytest

from api.web.methods import MethodTable

EVERY = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "TRACE", "CONNECT", "PROPFIND", "QUERY", "get", "Post", "X-Y"]


@pytest.mark.parametrize(
    ("path", "allowed"),
    [
        ("/scenes", "GET, HEAD, POST, OPTIONS"),
        ("/scenes/varberg", "GET, HEAD, PATCH, OPTIONS"),
        ("/surveys", "POST, OPTIONS"),
        ("/api-info", "GET, HEAD, OPTIONS"),
        ("/feed", "POST, OPTIONS"),
    ],
)
def test_405_lists_every_method_of_the_path_and_only_those(ask, path, allowed):
    for method in EVERY:
        answer = ask(method, path)
        if method in allowed.split(", "):
            assert answer.status != 405
        else:
            assert (method, answer.status, answer.header("allow")) == (method, 405, allowed)
            assert answer.header("content-type") == "application/problem+json"


def test_options_answers_with_the_same_list(ask):
    answer = ask("OPTIONS", "/scenes")
    assert (answer.status, answer.header("allow"), answer.body) == (204, "GET, HEAD, POST, OPTIONS", b"")
    assert ask("OPTIONS", "/nowhere").status == 404


def test_table_covers_every_path_of_the_document(api):
    table = MethodTable.of(api)
    for path, item in api.openapi()["paths"].items():
        example = path.replace("{sceneId}", "varberg")
        assert {method.upper() for method in item} <= table.methods(example)


def test_path_that_several_templates_match_takes_the_methods_of_all():
    table = MethodTable([("/scenes/{sceneId}", ["get", "patch"]), ("/scenes/near", ["post"]), ("/scenes", ["put"])])
    assert table.allow("/scenes/near") == "GET, HEAD, POST, PATCH, OPTIONS"
    assert table.allow("/scenes/varberg") == "GET, HEAD, PATCH, OPTIONS"
    assert table.allow("/scenes/a/b") == ""


def test_head_is_get_without_the_body(ask):
    get, head = ask("GET", "/scenes/varberg"), ask("HEAD", "/scenes/varberg")
    assert (head.status, head.body) == (200, b"")
    assert head.raw_headers == get.raw_headers
    assert head.header("content-length") == str(len(get.body))
    assert ask("HEAD", "/nowhere").status == 404
    assert ask("HEAD", "/surveys").status == 405
    assert ask("HEAD", "/surveys").body == b""
