package main

import (
	"errors"
	"net/http"
	"sync/atomic"
	"time"

	"gatehouse/internal/awswire"
	"gatehouse/internal/control/apigatewaymanagementapi"
	"gatehouse/internal/observe"
	"gatehouse/internal/plan"
	"gatehouse/internal/socket"
)

// maxConnectionsBody bounds what is read of a call of @connections before it is
// known who calls: well over AWS's longest message, and twice a longer one, so
// that what is too long is told so.
const maxConnectionsBody = 1 << 20

// connectionCalls hands calls of @connections to the service, with the stage
// that they are addressed to.
type connectionCalls struct {
	// management believes callers as management calls are; traffic is for calls
	// from listeners that serve traffic only, where a caller must be known.
	management, traffic http.Handler
}

// newConnectionCalls makes both handlers of what they have in common. message is
// the longest message, where it isn't AWS's.
func newConnectionCalls(o awswire.Options, message int) connectionCalls {
	o.MaxBodyBytes = max(maxConnectionsBody, 2*int64(message))
	strict := o
	strict.Auth.Open = false
	return connectionCalls{management: awswire.NewHandler(o), traffic: awswire.NewHandler(strict)}
}

// ServeConnections implements serve.Connections.
func (c connectionCalls) ServeConnections(w http.ResponseWriter, r *http.Request, stage *plan.Stage, management bool) {
	at := awswire.APIStage{Account: stage.API.AccountID, Region: stage.API.Region, APIID: stage.API.ID, Stage: stage.Name}
	r = r.WithContext(awswire.WithAPIStage(r.Context(), at))
	if management {
		c.management.ServeHTTP(w, r)
		return
	}
	c.traffic.ServeHTTP(w, r)
}

// connections are those of the registry, throttled and counted as their stages
// are.
type connections struct {
	registry *socket.Registry
	plan     *atomic.Pointer[plan.Plan]
}

var _ apigatewaymanagementapi.Connections = connections{}

// Post implements apigatewaymanagementapi.Connections.
func (c connections) Post(at awswire.APIStage, id string, message []byte) error {
	stage, err := c.take(at)
	if err != nil {
		return err
	}
	if err := c.registry.Post(at.APIID, at.Stage, id, message); err != nil {
		return asConnectionError(err)
	}
	if counters, ok := stage.Metrics.(*observe.Counters); ok {
		counters.CountPosted()
	}
	return nil
}

// Get implements apigatewaymanagementapi.Connections.
func (c connections) Get(at awswire.APIStage, id string) (apigatewaymanagementapi.Connection, error) {
	if _, err := c.take(at); err != nil {
		return apigatewaymanagementapi.Connection{}, err
	}
	info, err := c.registry.Get(at.APIID, at.Stage, id)
	if err != nil {
		return apigatewaymanagementapi.Connection{}, asConnectionError(err)
	}
	return apigatewaymanagementapi.Connection{
		ConnectedAt: info.ConnectedAt, LastActiveAt: info.LastActiveAt, SourceIP: info.SourceIP.Unmap().String(), UserAgent: info.UserAgent,
	}, nil
}

// Close implements apigatewaymanagementapi.Connections.
func (c connections) Close(at awswire.APIStage, id string) error {
	if _, err := c.take(at); err != nil {
		return err
	}
	return asConnectionError(c.registry.Close(at.APIID, at.Stage, id))
}

// take finds the stage and takes one of what its account may do in a second.
func (c connections) take(at awswire.APIStage) (*plan.Stage, error) {
	api, ok := c.plan.Load().API(at.APIID)
	if !ok || api.Stages[at.Stage] == nil {
		return nil, apigatewaymanagementapi.ErrGone // since the call was placed
	}
	stage := api.Stages[at.Stage]
	if stage.Limit != nil && !stage.Limit.Take(time.Now()) {
		return nil, apigatewaymanagementapi.ErrLimited
	}
	return stage, nil
}

func asConnectionError(err error) error {
	switch {
	case errors.Is(err, socket.ErrGone):
		return apigatewaymanagementapi.ErrGone
	case errors.Is(err, socket.ErrFull):
		return apigatewaymanagementapi.ErrLimited
	}
	return err
}
