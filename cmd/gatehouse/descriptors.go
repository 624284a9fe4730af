package main

import (
	"log/slog"

	"gatehouse/internal/serve"
)

// fitConnections bounds connections by the descriptors that the process may have.
// A quarter is left for what requests lead to: backends, functions and the database,
// without which strangers who hold all the others open would stop everything. Of
// what is there one client has half at most.
func (c *config) fitConnections(descriptors uint64, log *slog.Logger) (all, perClient int) {
	if room := descriptors / 4 * 3; room < uint64(c.MaxConnections) {
		all = max(1, int(room))
		perClient = max(1, min(c.MaxPerClient, all/2))
		// The defaults have room for more than most machines need.
		if c.MaxConnections != serve.MaxConnections || c.MaxPerClient != serve.MaxPerClient || all < serve.MaxPerClient {
			log.Warn("fewer connections may be open than --max-connections and --max-connections-per-client say: raise the limit of open files",
				"files", descriptors, "connections", all, "per client", perClient)
		}
		return all, perClient
	}
	return c.MaxConnections, c.MaxPerClient
}
