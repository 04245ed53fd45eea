"""Which network addresses are the public internet's, and nobody's inside."""

from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network

Address = IPv4Address | IPv6Address

# `is_global` calls these global, or did in some version of Python. Each leads somewhere else: into a translator to
# IPv4, a tunnel, a cloud's own services, or nowhere.
_NOT_PUBLIC_4 = tuple(
    map(
        IPv4Network,
        (
            "192.0.0.0/24",  # protocol assignments; a cloud's metadata at 192.0.0.192
            "192.88.99.0/24",  # 6to4 relays (RFC 7526)
            "168.63.129.16/32",  # a cloud's host agent
            "198.18.0.0/15",  # benchmarks
            "240.0.0.0/4",
        ),
    )
)
_GLOBAL_UNICAST_6 = IPv6Network(
    "2000::/3"
)  # all that is routed (RFC 4291); NAT64 and mapped addresses lie outside
_NOT_PUBLIC_6 = tuple(
    map(
        IPv6Network,
        (
            "2001::/23",  # protocol assignments, Teredo and ORCHID among them
            "2001:db8::/32",  # documentation
            "2002::/16",  # 6to4: an IPv4 address inside
            "3fff::/20",  # documentation (RFC 9637)
        ),
    )
)
_ISATAP = frozenset(
    (0x00005EFE, 0x02005EFE)
)  # third quarter of an address that ends in an IPv4 address (RFC 5214)


def is_public(address: Address) -> bool:
    """Whether connecting there leads to the public internet and to no machine of ours or of our cloud's.

    An IPv4 address inside an IPv6 one is judged as IPv4 where it is merely mapped, and refused where it would be
    translated or tunnelled.
    """
    if isinstance(address, IPv6Address):
        mapped = address.ipv4_mapped
        return _is_public_6(address) if mapped is None else is_public(mapped)
    return address.is_global and not address.is_multicast and not _in_any(address, _NOT_PUBLIC_4)


def _is_public_6(address: IPv6Address) -> bool:
    return (
        address in _GLOBAL_UNICAST_6
        and address.is_global
        and address.scope_id is None
        and not _in_any(address, _NOT_PUBLIC_6)
        and int(address) >> 32 & 0xFFFFFFFF not in _ISATAP
    )


def _in_any(address: Address, networks: tuple[IPv4Network, ...] | tuple[IPv6Network, ...]) -> bool:
    return any(address in network for network in networks)
