// Package proxyproto reads what load balancers put before a connection's own
// bytes to tell whom they forward for: the PROXY protocol, versions 1 and 2.
// https://www.haproxy.org/download/3.0/doc/proxy-protocol.txt
//
// It is a leaf: it imports the standard library only. Whose word is taken, package
// serve decides.
package proxyproto
