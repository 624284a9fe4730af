// Command bench measures a gatehouse binary beside its peers, on one machine
// and in one run: nginx, a bare net/http ReverseProxy, fasthttp on both sides,
// and a bare Node server. `make bench` runs it; docs/PERFORMANCE.md says how
// each figure is taken.
//
// The program starts itself again in the roles of backend and peers, so that
// every process's CPU time is its own. Everything listens on loopback.
package main
