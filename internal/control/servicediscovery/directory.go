package servicediscovery

import (
	"errors"
	"maps"
	"slices"

	"gatehouse/internal/balance"
	"gatehouse/internal/store"
)

// A Directory has a Balancer know all services. Prepare and Load keep it true. It keeps
// what it has read: a change costs by the service that is changed, not by all of them.
type Directory struct {
	Balancer *balance.Balancer

	// known are the services by their ids. The store's one writer reads and writes it.
	known map[store.Scope]known
}

// known are services by their ids. They are never written to once they are in force.
type known map[string]balance.ServiceConfig

func (k known) config() balance.Config {
	return balance.Config{Services: slices.Collect(maps.Values(k))}
}

// Load reads everything; it is called once, before there are requests.
func (d *Directory) Load(tx *store.Tx) error {
	d.known = map[store.Scope]known{}
	for e, err := range services.Everywhere(tx) {
		if err != nil {
			return err
		}
		if d.known[e.Scope] == nil {
			d.known[e.Scope] = known{}
		}
		if err := d.known[e.Scope].read(tx, e.Scope, e.ID[0]); err != nil {
			return err
		}
	}
	for s, k := range d.known {
		d.Balancer.Apply(owner(s), k.config())
	}
	return nil
}

func owner(s store.Scope) string { return "servicediscovery/" + s.Account + "/" + s.Region }

// Prepare is called by the store with every transaction's changes before it
// commits; publish makes the Balancer follow.
func (d *Directory) Prepare(tx *store.Tx, changes []store.Change) (publish func(), err error) {
	next, done := map[store.Scope]known{}, map[store.Scope]map[string]bool{}
	for _, c := range changes {
		if c.Kind != services.Name && c.Kind != instances.Name {
			continue
		}
		if next[c.Scope] == nil {
			next[c.Scope], done[c.Scope] = known{}, map[string]bool{}
			maps.Copy(next[c.Scope], d.known[c.Scope])
		}
		id := c.ID[0]
		if done[c.Scope][id] {
			continue
		}
		done[c.Scope][id] = true
		if err := next[c.Scope].read(tx, c.Scope, id); err != nil {
			return nil, err
		}
	}
	if len(next) == 0 {
		return nil, nil
	}
	return func() {
		if d.known == nil {
			d.known = map[store.Scope]known{}
		}
		for s, k := range next {
			d.known[s] = k
			d.Balancer.Apply(owner(s), k.config())
		}
	}, nil
}

// read reads a service with its instances.
func (k known) read(tx *store.Tx, s store.Scope, id string) error {
	doc, err := services.Get(tx, s, id)
	if errors.Is(err, store.ErrNotFound) {
		delete(k, id)
		return nil
	}
	if err != nil {
		return err
	}
	c := balance.ServiceConfig{Key: *doc.Arn, Name: *doc.Name}
	for i, err := range instances.All(tx, s, id) {
		if err != nil {
			return err
		}
		if addr := i.Doc.addr(); addr != "" {
			c.Instances = append(c.Instances, balance.Instance{
				ID: i.ID[1], Addr: addr, Attributes: i.Doc.Attributes, Unhealthy: i.Doc.Unhealthy && doc.HealthCheckCustomConfig != nil,
			})
		}
	}
	k[id] = c
	return nil
}
