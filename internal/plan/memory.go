package plan

import (
	"errors"
	"net/netip"
	"sync"
)

// ErrCrowded is the error of a body that can't be held whole because the others
// that are held leave no room.
var ErrCrowded = errors.New("too many long bodies are held at the moment")

// Memory bounds what all exchanges together hold of long bodies. Each may have
// megabytes that a client chooses to send, and as many come as there are
// connections; those that are passed on as they come take no room.
//
// Who sends slowly keeps room for long, and could keep all of it. So one client has
// no more than it leaves to the others: half at most, less where others hold much.
// Its only body goes by the bound of all, and so does what comes from this machine.
type Memory struct {
	limit int64

	mu      sync.Mutex
	held    int64
	clients map[netip.Addr]int64 // as Network has them
}

// NewMemory makes room for limit bytes.
func NewMemory(limit int64) *Memory {
	return &Memory{limit: limit, clients: map[netip.Addr]int64{}}
}

// Held is how many bytes are held.
func (m *Memory) Held() int64 {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.held
}

// Take holds n more bytes of what a client, by its Network, has of own bytes already,
// or tells that there is no room.
func (m *Memory) Take(client netip.Addr, own, n int64) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	all, of := m.held+n, m.clients[client]
	if all > m.limit || of > own && !client.IsLoopback() && of+n > m.limit-all {
		return false
	}
	m.held, m.clients[client] = all, of+n
	return true
}

// Give takes back n bytes that a client held.
func (m *Memory) Give(client netip.Addr, n int64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.held -= n
	if m.clients[client] -= n; m.clients[client] == 0 {
		delete(m.clients, client)
	}
}

// Hold takes room for n more bytes of a body, which the exchange has until it is
// reset. Its error is ErrCrowded, and stands for the exchange: Crowded tells of it.
func (x *Exchange) Hold(n int) error {
	if x.Memory == nil || n <= 0 {
		return nil
	}
	if x.held == 0 {
		x.holder = Network(x.Request.Source.Addr())
	}
	if !x.Memory.Take(x.holder, x.held, int64(n)) {
		x.crowded = true
		return ErrCrowded
	}
	x.held += int64(n)
	return nil
}

// Crowded tells that there was no room for a body.
func (x *Exchange) Crowded() bool { return x.crowded }

// release gives back what the exchange held.
func (x *Exchange) release() {
	if x.held > 0 {
		x.Memory.Give(x.holder, x.held)
	}
}

// Network is the address that what a client takes is counted under. Who has one
// address of IPv6 has those of its /64, more than anybody could count.
func Network(client netip.Addr) netip.Addr {
	if !client.Is6() || client.IsLoopback() {
		return client
	}
	network, err := client.WithZone("").Prefix(64)
	if err != nil {
		return client
	}
	return network.Addr()
}
