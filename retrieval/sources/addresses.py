"""Which network addresses a fetch may reach: public unicast ones, and nothing that leads back inside."""

from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_network

# `is_global` is true for these, yet they embed other addresses or are no single host.
_TRANSLATED = [ip_network("64:ff9b::/96"), ip_network("64:ff9b:1::/48"), ip_network("2002::/16")]
_RELAY = ip_network("192.88.99.0/24")


def is_public(address: IPv4Address | IPv6Address) -> bool:
    """Whether an address belongs to somebody on the public internet and to no tunnel or translation."""
    if isinstance(address, IPv6Address):
        if address.ipv4_mapped is not None:
            return is_public(address.ipv4_mapped)
        if any(isinstance(net, IPv6Network) and address in net for net in _TRANSLATED):
            return False
    elif address in _RELAY:
        return False
    return address.is_global and not (
        address.is_multicast or address.is_reserved or address.is_unspecified or address.is_loopback
    )
