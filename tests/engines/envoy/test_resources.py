import json
from pathlib import Path

import pytest

from troth.engines.envoy import resources
from troth.engines.envoy.resources import Certificate, Resources
from troth.kernel.fragment import Header


def test_the_version_follows_the_content():
    one, same = Resources(({"name": "a"},), ()), Resources(({"name": "a"},), ())
    other = Resources((), ({"name": "a"},))

    assert one.version == same.version != other.version
    assert len(one.version) == 16


@pytest.mark.parametrize(
    ("action", "word"),
    [
        ("replace", "OVERWRITE_IF_EXISTS_OR_ADD"),
        ("append", "APPEND_IF_EXISTS_OR_ADD"),
        ("if-absent", "ADD_IF_ABSENT"),
    ],
)
def test_header_options(action, word):
    (option,) = resources.header_options((Header("x-a", "100 %", action),))

    assert option == {"header": {"key": "x-a", "value": "100 %%"}, "append_action": word}


def test_direct_answers():
    assert resources.direct(404) == {"direct_response": {"status": 404}}
    whole = resources.direct(200, "hi", (("content-type", "text/plain"),))
    assert whole["direct_response"]["body"] == {"inline_string": "hi"}
    assert whole["response_headers_to_add"][0]["header"]["value"] == "text/plain"


def test_the_key_is_named_and_not_held():
    certificate = Certificate(Path("/c.pem"), Path("/c.key"), Path("/sds.json"))

    assert "PRIVATE" not in json.dumps(resources.sds_secret("h", certificate))
    reference = resources.sds_reference("h", certificate.sds)
    assert reference["sds_config"]["path_config_source"] == {"path": "/sds.json"}


def test_the_admin_door_is_for_owner_and_group_only():
    made = resources.bootstrap(Path("/e"), Path("/run/a.sock"), max_connections=5)

    assert made["admin"]["address"]["pipe"] == {"path": "/run/a.sock", "mode": 0o660}
