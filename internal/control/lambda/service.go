package lambda

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"time"

	api "gatehouse/internal/awsapi/lambda"
	"gatehouse/internal/awswire"
	"gatehouse/internal/codestore"
	"gatehouse/internal/paging"
	"gatehouse/internal/store"
)

// A Service answers the Lambda API.
type Service struct {
	api.Unimplemented

	opts      Options
	log       *slog.Logger
	now       func() time.Time
	newID     func() string
	store     Store
	code      *codestore.Store
	directory *Directory
	queue     *queue
	// urlKey signs the addresses that code is downloaded from.
	urlKey []byte
}

var _ api.Operations = (*Service)(nil)

// New returns the service. Its directory must be in the store's Prepare and
// loaded before the first call. Close stops it.
func New(o Options, d *Directory) (*Service, error) {
	o, err := o.withDefaults()
	if err != nil {
		return nil, err
	}
	s := &Service{
		opts: o, log: o.Logger, now: o.Clock, newID: o.NewID, store: o.Store, code: o.Code,
		directory: d, urlKey: make([]byte, 32),
	}
	_, _ = rand.Read(s.urlKey) // never fails
	s.queue = newQueue(o, d)
	return s, nil
}

// Close lets asynchronous events that are running or due finish until ctx
// ends. Events that still wait for a retry are dropped, with a line in the log.
func (s *Service) Close(ctx context.Context) error {
	return s.queue.close(ctx)
}

// view runs fn on a snapshot and gives its result.
func view[T any](s *Service, c *awswire.Call, fn func(tx *store.Tx) (T, error)) (T, error) {
	var out T
	err := s.store.View(c, func(tx *store.Tx) (err error) {
		out, err = fn(tx)
		return err
	})
	return out, err
}

// update runs fn in a writing transaction and gives its result.
func update[T any](s *Service, c *awswire.Call, fn func(tx *store.Tx) (T, error)) (T, error) {
	var out T
	err := s.store.Update(c, func(tx *store.Tx) (err error) {
		out, err = fn(tx)
		return err
	})
	return out, err
}

// getFunction is the function's document, or AWS's answer that there is none.
func getFunction(tx *store.Tx, t target) (*functionDoc, error) {
	doc, err := functions.Get(tx, t.scope, t.name)
	if notFound(err) {
		return nil, functionNotFound(t.arn())
	}
	return doc, err
}

// getVersion is what a qualifier stands for: a version, or the one an alias
// points to. The configuration's ARN is qualified as asked.
func getVersion(tx *store.Tx, t target) (*versionDoc, error) {
	if t.qualifier == "" || t.qualifier == latest {
		doc, err := getFunction(tx, t)
		if err != nil {
			return nil, err
		}
		doc.Configuration.FunctionArn = new(t.arn())
		return &doc.versionDoc, nil
	}
	number := t.qualifier
	if isAlias(number) {
		alias, err := aliases.Get(tx, t.scope, t.name, t.qualifier)
		if notFound(err) {
			return nil, functionNotFound(t.arn())
		}
		if err != nil {
			return nil, err
		}
		number = str(alias.FunctionVersion)
	}
	doc, err := versionNumbered(tx, t, number)
	if err != nil {
		return nil, err
	}
	doc.Configuration.FunctionArn = new(t.arn())
	return doc, nil
}

// versionNumbered is one version, $LATEST included.
func versionNumbered(tx *store.Tx, t target, number string) (*versionDoc, error) {
	if number == latest {
		doc, err := getFunction(tx, t)
		if err != nil {
			return nil, err
		}
		return &doc.versionDoc, nil
	}
	n, ok := parseVersion(number)
	if !ok {
		return nil, functionNotFound(t.qualified(number))
	}
	doc, err := versions.Get(tx, t.scope, t.name, versionID(n))
	if notFound(err) {
		return nil, functionNotFound(t.qualified(number))
	}
	return doc, err
}

// maxItems is the page size that was asked for, within the operation's own.
func maxItems(given *int32, most int) (int, error) {
	switch n := int(deref(given)); {
	case given == nil:
		return most, nil
	case n < 1:
		return 0, invalid(fmt.Sprintf("Value '%d' at 'maxItems' failed to satisfy constraint: Member must have value greater than or equal to 1", n))
	default:
		return min(n, most), nil
	}
}

// pageError is a list's error; a marker that isn't ours is the caller's fault.
func pageError(err error) error {
	if errors.Is(err, paging.ErrBadToken) {
		return badParameter("The marker isn't one that this operation gave out.")
	}
	return err
}
