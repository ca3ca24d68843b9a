"""Who reads, as a reverse proxy says it; and a district sees no other."""

from __future__ import annotations

import pytest

from web_city import Place, Rig


@pytest.fixture
def proxied(place: Place) -> Rig:
    return Rig(place, proxies=("10.0.0.9",), hosts=("pulse.example",))


def by_proxy(rig: Rig, path: str, district: str = "*", user: str = "li", **more: str):  # type: ignore[no-untyped-def]
    headers = {"X-SchoolPulse-User": user, "X-SchoolPulse-District": district} | more
    return rig.get(path, peer="10.0.0.9", headers=headers)


def test_a_proxy_says_who_reads(proxied: Rig) -> None:
    assert by_proxy(proxied, "/").status_code == 200
    assert ">李<" in by_proxy(proxied, "/", user="李".encode().decode("latin-1")).text
    assert proxied.get("/").status_code == 403  # not by the proxy, though on this machine


@pytest.mark.parametrize("peer", ["10.0.0.8", "127.0.0.1", "::1", "10.0.0.90"])
def test_headers_of_others_are_not_believed(proxied: Rig, peer: str) -> None:
    headers = {"X-SchoolPulse-User": "li", "X-SchoolPulse-District": "*"}
    assert proxied.get("/", peer=peer, headers=headers).status_code == 403


@pytest.mark.parametrize("district", ["", "63010", "630102,*", "*, 630102", "all", "630102\t*"])
def test_an_odd_district_shows_nothing(proxied: Rig, district: str) -> None:
    assert by_proxy(proxied, "/", district).status_code == 403


def test_a_user_without_a_name_is_none(proxied: Rig) -> None:
    assert by_proxy(proxied, "/", "*", user="").status_code == 403
    assert by_proxy(proxied, "/", "*", user="a,b").status_code == 403


def test_a_proxy_over_ipv6_is_the_same(place: Place) -> None:
    rig = Rig(place, proxies=("10.0.0.9",))
    headers = {"X-SchoolPulse-User": "li", "X-SchoolPulse-District": "*"}
    assert rig.get("/", peer="::ffff:10.0.0.9", headers=headers).status_code == 200


def test_a_district_sees_no_other(proxied: Rig, place: Place) -> None:
    proxied.site._stock._pass()
    others = [row for row in place.city.schools if row.responsible != "630103"]
    own = [row for row in place.city.schools if row.responsible == "630103"]
    assert own
    assert others
    for path in ("/", "/districts", "/schools", "/schools?district=630102", "/faults",
                 "/faults?district=630102", "/schools?q=第1", "/reports"):  # fmt: skip
        page = by_proxy(proxied, path, "630103").text
        for row in others:
            assert row.code not in page, path
            assert row.name[:20] not in page, path
        for name in ("城东区", "城西区", "湟源县", "西宁市</h1>"):
            assert f">{name}<" not in page, path
    for row in others:
        assert by_proxy(proxied, f"/schools/{row.code}", "630103").status_code == 404
    for row in own:
        assert by_proxy(proxied, f"/schools/{row.code}", "630103").status_code == 200
        assert row.code in by_proxy(proxied, "/schools", "630103").text


def test_a_district_counts_its_own_alone(proxied: Rig) -> None:
    city = proxied.site.city()
    area = city.area("630103")
    assert area is not None
    page = by_proxy(proxied, "/", "630103").text
    for title in city.titles:
        assert f"<b>{area.shares[title.id].verified:.1f}%</b>" in page
    rows = [row for row in city.schools if row.district == "630103"]
    assert f"{len(rows)} 所，共 {len(rows)} 所" in by_proxy(proxied, "/schools", "630103").text


def test_what_is_the_citys_is_hidden_from_a_district(proxied: Rig) -> None:
    for path in ("/health", "/metrics", "/archives/x.zip"):
        assert by_proxy(proxied, path, "630103").status_code == 404
    assert 'href="/health"' not in by_proxy(proxied, "/", "630103").text
    assert "冻结" not in by_proxy(proxied, "/reports", "630103").text


def test_one_readers_page_is_not_anothers(proxied: Rig) -> None:
    """Pages are kept for some seconds: by reader."""
    whole = by_proxy(proxied, "/schools").text
    part = by_proxy(proxied, "/schools", "630103").text
    assert len(part) < len(whole)
    assert by_proxy(proxied, "/schools").text.count("<tr") == whole.count("<tr")
