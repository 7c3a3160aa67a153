//! Where a server listens: an open address means both families of IP.

use anyhow::Context;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use tokio::net::{TcpListener, TcpSocket};

/// Connections that the system holds until they are accepted.
const BACKLOG: u32 = 1024;

/// Listens on `address`; on all addresses of both families where it is `0.0.0.0` or `::`, as far as the machine has both.
/// Upstream: Go's net.Listen, favoriteAddrFamily.
pub async fn listen(address: IpAddr, port: u16) -> anyhow::Result<TcpListener> {
    let listener = if address.is_unspecified() {
        match both_families(port) {
            Ok(listener) => Ok(listener),
            Err(_) => TcpListener::bind((Ipv4Addr::UNSPECIFIED, port)).await,
        }
    } else {
        TcpListener::bind((address, port)).await
    };
    listener.with_context(|| {
        format!("cannot listen on {address}, port {port}: set --bind-address and --secure-port")
    })
}

fn both_families(port: u16) -> io::Result<TcpListener> {
    let socket = TcpSocket::new_v6()?;
    socket.set_reuseaddr(true)?;
    rustix::net::sockopt::set_ipv6_v6only(&socket, false)?;
    socket.bind((Ipv6Addr::UNSPECIFIED, port).into())?;
    socket.listen(BACKLOG)
}
