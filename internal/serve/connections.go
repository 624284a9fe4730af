package serve

import (
	"net/http"
	"strings"

	"gatehouse/internal/plan"
)

// Connections answers the management API of a stage's connections, which is
// reached where the stage is: @connections.
type Connections interface {
	// ServeConnections answers a call for a stage of a WebSocket API. management
	// tells that it came in where management calls do: who may call there may
	// not be believed elsewhere.
	ServeConnections(w http.ResponseWriter, r *http.Request, stage *plan.Stage, management bool)
}

// isConnections tells whether a placed exchange is a call of @connections.
func isConnections(x *plan.Exchange) bool {
	return strings.HasPrefix(x.StagePath, "/@connections/") || strings.HasPrefix(x.StagePath, "/%40connections/")
}

// connections is the handler of a call of @connections.
func (s *Server) connections(x *plan.Exchange, management bool) http.Handler {
	stage := x.Stage
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.Connections.ServeConnections(w, r, stage, management)
	})
}
