"""Each test here runs with each kind of store."""

import pytest


@pytest.fixture(scope="module", params=["bucket", "etcd"])
def store(request):
    """Choose what the hosts share."""
    return request.param
