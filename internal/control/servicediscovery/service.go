package servicediscovery

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"gatehouse/internal/arn"
	api "gatehouse/internal/awsapi/servicediscovery"
	"gatehouse/internal/awswire"
	"gatehouse/internal/paging"
	"gatehouse/internal/store"
)

// Options are what a Service works with.
type Options struct {
	// Store holds the namespaces. Its Prepare must call Directory.Prepare.
	Store *store.Store // required
	// Random is where ids come from; nil means crypto/rand.
	Random io.Reader
}

// A Service is the API.
type Service struct {
	api.Unimplemented

	store  *store.Store
	random io.Reader
}

var _ api.Operations = (*Service)(nil)

// New returns the service.
func New(o Options) *Service {
	if o.Random == nil {
		o.Random = rand.Reader
	}
	return &Service{store: o.Store, random: o.Random}
}

// A namespaceDoc is keyed {id}. ServiceCount is computed.
type namespaceDoc struct {
	api.Namespace
	Tags map[string]string `json:"_tags,omitzero"`
}

// A serviceDoc is keyed {id}. InstanceCount is computed.
type serviceDoc struct {
	api.Service
	Tags       map[string]string `json:"_tags,omitzero"`
	Attributes map[string]string `json:"_attributes,omitzero"`
	// Revision counts the changes of the instances.
	Revision int64 `json:"_revision,omitzero"`
}

// An instanceDoc is keyed {service's id, instance's id}.
type instanceDoc struct {
	api.Instance
	// Unhealthy is what was reported last.
	Unhealthy bool `json:"_unhealthy,omitzero"`
}

// An operationDoc is keyed {id}. Operations are done when their call is answered.
type operationDoc struct{ api.Operation }

var (
	namespaces = store.Kind[namespaceDoc]{Name: "servicediscovery/namespace", Version: 1}
	services   = store.Kind[serviceDoc]{Name: "servicediscovery/service", Version: 1}
	instances  = store.Kind[instanceDoc]{Name: "servicediscovery/instance", Version: 1}
	operations = store.Kind[operationDoc]{Name: "servicediscovery/operation", Version: 1}
)

func scopeOf(c *awswire.Call) store.Scope { return store.Scope{Account: c.Account, Region: c.Region} }

func invalid(message string) error { return api.NewInvalidInput(message) }

func value[T any](p *T) T {
	if p == nil {
		return *new(T)
	}
	return *p
}

const idAlphabet = "abcdefghijklmnopqrstuvwxyz234567"

// newID returns characters as ids have them.
func (s *Service) newID(n int) (string, error) {
	b := make([]byte, n)
	if _, err := io.ReadFull(s.random, b); err != nil {
		return "", err
	}
	for i := range b {
		b[i] = idAlphabet[b[i]%32]
	}
	return string(b), nil
}

func resourceName(c *awswire.Call, resource string) string {
	return arn.ARN{Partition: arn.Partition(c.Region), Service: "servicediscovery", Region: c.Region, Account: c.Account, Resource: resource}.String()
}

// bareID takes the rest of an ARN off an id, which some calls may have.
func bareID(id string) string { return id[strings.LastIndexByte(id, '/')+1:] }

func namespace(tx *store.Tx, c *awswire.Call, id string) (*namespaceDoc, error) {
	doc, err := namespaces.Get(tx, scopeOf(c), bareID(id))
	if errors.Is(err, store.ErrNotFound) {
		return nil, api.NewNamespaceNotFound("Namespace not found: " + id)
	}
	return doc, err
}

func service(tx *store.Tx, c *awswire.Call, id string) (*serviceDoc, error) {
	doc, err := services.Get(tx, scopeOf(c), bareID(id))
	if errors.Is(err, store.ErrNotFound) {
		return nil, api.NewServiceNotFound("Service not found: " + id)
	}
	return doc, err
}

// keptOperations is how long an operation can be asked for. They are taken away as
// others are made.
const keptOperations = 24 * time.Hour

// operation notes that something was done. targets are what it was done to, by
// their kinds.
func (s *Service) operation(tx *store.Tx, c *awswire.Call, kind string, targets map[string]string) (*string, error) {
	random, err := s.newID(20)
	if err != nil {
		return nil, err
	}
	// Ids begin with their time: the oldest ones come first.
	id := fmt.Sprintf("%09x", c.Time.Unix()) + random
	now := c.Time.UTC()
	doc := &operationDoc{api.Operation{
		Id: &id, Type: &kind, Status: new(api.OperationStatusSuccess), CreateDate: &now, UpdateDate: &now, Targets: targets, OwnerAccount: new(c.Account),
	}}
	old, err := operations.List(tx, scopeOf(c), store.Page{Limit: 2})
	if err != nil {
		return nil, err
	}
	for _, e := range old {
		if c.Time.Sub(value(e.Doc.CreateDate)) > keptOperations {
			if err := operations.Delete(tx, scopeOf(c), e.ID[0]); err != nil {
				return nil, err
			}
		}
	}
	return &id, operations.Put(tx, scopeOf(c), doc, id)
}

// GetOperation shows an operation.
func (s *Service) GetOperation(c *awswire.Call, in *api.GetOperationRequest) (*api.GetOperationResponse, error) {
	var doc *operationDoc
	err := s.store.View(c, func(tx *store.Tx) (err error) {
		doc, err = operations.Get(tx, scopeOf(c), *in.OperationId)
		return err
	})
	if errors.Is(err, store.ErrNotFound) {
		return nil, api.NewOperationNotFound("Operation not found: " + *in.OperationId)
	}
	if err != nil {
		return nil, err
	}
	return &api.GetOperationResponse{Operation: &doc.Operation}, nil
}

// maxPage is how many items a page has.
const maxPage = 100

// list returns a page of documents and the next token, nil at the end.
func list[T any](tx *store.Tx, c *awswire.Call, kind store.Kind[T], max *int32, token *string, prefix ...string) ([]store.Entry[T], *string, error) {
	limit := maxPage
	if max != nil {
		limit = int(*max)
	}
	entries, next, err := kind.ListToken(tx, scopeOf(c), value(token), limit, prefix...)
	if errors.Is(err, paging.ErrBadToken) {
		return nil, nil, invalid("Invalid next token")
	}
	if err != nil || next == "" {
		return entries, nil, err
	}
	return entries, &next, nil
}
