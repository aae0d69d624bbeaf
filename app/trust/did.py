"""Our public keys as a DID document (W3C Decentralized Identifiers 1.0, method did:web), for readers of such lists.

The same keys as in the key set, and no other fact: such a document has no dates, and whoever needs them reads the set.
"""

from collections.abc import Mapping
from typing import Any, Final

_CONTEXT: Final = ("https://www.w3.org/ns/did/v1", "https://w3id.org/security/suites/jws-2020/v1")
_JWK_MEMBERS: Final = ("kty", "crv", "alg", "use", "kid", "x")


def did_of(host: str) -> str:
    """Return the DID of a host; the colon before a port is encoded."""
    return f"did:web:{host.replace(':', '%3A')}"


def did_document(host: str, key_set: Mapping[str, Any]) -> dict[str, Any]:
    """Return the DID document of a host, with the keys of codes of today; retired ones sign nothing any more."""
    did = did_of(host)
    methods = [
        {
            "id": f"{did}#{key['kid']}",
            "type": "JsonWebKey2020",
            "controller": did,
            "publicKeyJwk": {name: key[name] for name in _JWK_MEMBERS},
        }
        for key in key_set["keys"]
    ]
    return {
        "@context": list(_CONTEXT),
        "id": did,
        "verificationMethod": methods,
        "assertionMethod": [method["id"] for method in methods],
    }
