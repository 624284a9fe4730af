package apigatewaymanagementapi

import (
	"cmp"
	"encoding/base64"
	"errors"
	"net/http"
	"time"

	api "gatehouse/internal/awsapi/apigatewaymanagementapi"
	"gatehouse/internal/awswire"
)

// MaxMessageBytes is the longest message that PostToConnection takes at AWS.
const MaxMessageBytes = 128 << 10

// What Connections may fail with.
var (
	// ErrGone tells that a stage has no connection of that id, or no longer, or
	// not yet.
	ErrGone = errors.New("there is no such connection")
	// ErrLimited tells that the account's rate is used up or that the client
	// reads too slowly for what waits for it.
	ErrLimited = errors.New("the rate or the client's buffer is used up")
)

// A Connection is what is told of one.
type Connection struct {
	ConnectedAt, LastActiveAt time.Time
	SourceIP                  string
	// UserAgent is "" for a client that named none.
	UserAgent string
}

// Connections are those of every stage of WebSocket APIs. They are used from
// several goroutines.
type Connections interface {
	// Post sends a text message, which it may keep.
	Post(at awswire.APIStage, id string, message []byte) error
	Get(at awswire.APIStage, id string) (Connection, error)
	// Close ends a connection with the close frame of a deleted one.
	Close(at awswire.APIStage, id string) error
}

// A Service is the API.
type Service struct {
	connections Connections
	maxMessage  int
}

var _ api.Operations = (*Service)(nil)

// New returns the service. maxMessage is the longest message in bytes; 0 is
// MaxMessageBytes.
func New(connections Connections, maxMessage int) *Service {
	return &Service{connections, cmp.Or(maxMessage, MaxMessageBytes)}
}

// PostToConnection sends a message to a client.
func (s *Service) PostToConnection(c *awswire.Call, in *api.PostToConnectionRequest) error {
	if err := admit(c, *in.ConnectionId); err != nil {
		return err
	}
	if len(in.Data) > s.maxMessage {
		// UNVERIFIED: the text.
		return api.NewPayloadTooLargeException("Message too long")
	}
	return wireError(s.connections.Post(c.Stage, *in.ConnectionId, in.Data))
}

// GetConnection tells who is connected since when.
func (s *Service) GetConnection(c *awswire.Call, in *api.GetConnectionRequest) (*api.GetConnectionResponse, error) {
	if err := admit(c, *in.ConnectionId); err != nil {
		return nil, err
	}
	found, err := s.connections.Get(c.Stage, *in.ConnectionId)
	if err != nil {
		return nil, wireError(err)
	}
	out := &api.GetConnectionResponse{
		ConnectedAt:  new(found.ConnectedAt.UTC()),
		LastActiveAt: new(found.LastActiveAt.UTC()),
		Identity:     &api.Identity{SourceIp: &found.SourceIP},
	}
	if found.UserAgent != "" {
		out.Identity.UserAgent = &found.UserAgent
	}
	return out, nil
}

// DeleteConnection ends a connection.
func (s *Service) DeleteConnection(c *awswire.Call, in *api.DeleteConnectionRequest) error {
	if err := admit(c, *in.ConnectionId); err != nil {
		return err
	}
	return wireError(s.connections.Close(c.Stage, *in.ConnectionId))
}

// admit refuses calls that no stage was found for, callers of other accounts
// and what can't be the id of a connection.
func admit(c *awswire.Call, id string) error {
	if c.Stage.APIID == "" || c.Principal.Account != c.Stage.Account {
		return api.NewForbiddenException("Forbidden")
	}
	if !isConnectionID(id) {
		return &awswire.Error{Code: "BadRequestException", Status: http.StatusBadRequest, Message: "Invalid connectionId: " + id}
	}
	return nil
}

// idBytes is how many bytes an id is made of.
const idBytes = 11

// isConnectionID tells whether text has the form of an id: 11 bytes in base64
// for URLs.
func isConnectionID(text string) bool {
	if len(text) != base64.URLEncoding.EncodedLen(idBytes) {
		return false
	}
	var b [idBytes + 1]byte
	n, err := base64.URLEncoding.Decode(b[:], []byte(text))
	return err == nil && n == idBytes
}

// wireError words what Connections fail with. That a connection is gone is said
// without a message.
func wireError(err error) error {
	switch {
	case errors.Is(err, ErrGone):
		return api.NewGoneException("")
	case errors.Is(err, ErrLimited):
		// UNVERIFIED: the text.
		return api.NewLimitExceededException("Rate exceeded")
	}
	return err
}
