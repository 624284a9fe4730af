package servicediscovery

import (
	"gatehouse/internal/balance"
	"gatehouse/internal/store"
)

// A Directory has a Balancer know all services. Prepare and Load keep it true.
type Directory struct{ Balancer *balance.Balancer }

// Load reads everything; it is called once, before there are requests.
func (d *Directory) Load(tx *store.Tx) error {
	seen := map[store.Scope]bool{}
	for e, err := range services.Everywhere(tx) {
		if err != nil {
			return err
		}
		seen[e.Scope] = true
	}
	for s := range seen {
		config, err := configOf(tx, s)
		if err != nil {
			return err
		}
		d.Balancer.Apply(owner(s), config)
	}
	return nil
}

func owner(s store.Scope) string { return "servicediscovery/" + s.Account + "/" + s.Region }

// Prepare is called by the store with every transaction's changes before it
// commits; publish makes the Balancer follow.
func (d *Directory) Prepare(tx *store.Tx, changes []store.Change) (publish func(), err error) {
	configs := map[store.Scope]balance.Config{}
	for _, c := range changes {
		if c.Kind != services.Name && c.Kind != instances.Name {
			continue
		}
		if _, done := configs[c.Scope]; done {
			continue
		}
		if configs[c.Scope], err = configOf(tx, c.Scope); err != nil {
			return nil, err
		}
	}
	if len(configs) == 0 {
		return nil, nil
	}
	return func() {
		for s, config := range configs {
			d.Balancer.Apply(owner(s), config)
		}
	}, nil
}

// configOf is all that an account has in a region.
func configOf(tx *store.Tx, s store.Scope) (balance.Config, error) {
	var config balance.Config
	for e, err := range services.All(tx, s) {
		if err != nil {
			return config, err
		}
		c := balance.ServiceConfig{Key: *e.Doc.Arn, Name: *e.Doc.Name}
		for i, err := range instances.All(tx, s, e.ID[0]) {
			if err != nil {
				return config, err
			}
			if addr := i.Doc.addr(); addr != "" {
				c.Instances = append(c.Instances, balance.Instance{
					ID: i.ID[1], Addr: addr, Attributes: i.Doc.Attributes, Unhealthy: i.Doc.Unhealthy && e.Doc.HealthCheckCustomConfig != nil,
				})
			}
		}
		config.Services = append(config.Services, c)
	}
	return config, nil
}
