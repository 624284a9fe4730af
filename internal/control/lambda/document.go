package lambda

import (
	"context"
	"errors"
	"fmt"
	"strconv"

	api "gatehouse/internal/awsapi/lambda"
	"gatehouse/internal/awswire"
	"gatehouse/internal/store"
)

// A Store holds the documents of this package; *store.Store is the one there is.
type Store interface {
	View(ctx context.Context, fn func(tx *store.Tx) error) error
	Update(ctx context.Context, fn func(tx *store.Tx) error) error
}

type scope = store.Scope

func scopeOf(c *awswire.Call) scope { return scope{Account: c.Account, Region: c.Region} }

// What is stored. Functions and versions hold environment variables, which are
// secrets. Ids are {name}, {name, version}, {name, qualifier}, {layer, version}.
var (
	functions   = store.Kind[functionDoc]{Name: "lambda/function", Version: 1, Sealed: true}
	versions    = store.Kind[versionDoc]{Name: "lambda/version", Version: 1, Sealed: true}
	aliases     = store.Kind[api.AliasConfiguration]{Name: "lambda/alias", Version: 1}
	policies    = store.Kind[resourcePolicy]{Name: "lambda/policy", Version: 1}
	invokes     = store.Kind[api.FunctionEventInvokeConfig]{Name: "lambda/eventInvokeConfig", Version: 1}
	provisioned = store.Kind[provisionedDoc]{Name: "lambda/provisionedConcurrency", Version: 1}
	layers      = store.Kind[layerDoc]{Name: "lambda/layer", Version: 1}
	layerVers   = store.Kind[layerVersionDoc]{Name: "lambda/layerVersion", Version: 1}
)

// A versionDoc is one version of a function: what the API shows of it and where
// its code is.
type versionDoc struct {
	Configuration *api.FunctionConfiguration
	Code          codeRef
	// LayerCode is the code of Configuration.Layers. It is kept here because
	// functions go on using a layer version that was deleted.
	LayerCode []codeRef
	// Generation changes whenever code or configuration does; environments are
	// pooled by it.
	Generation string
}

// A functionDoc is a function: its $LATEST version and what belongs to the
// function as a whole.
type functionDoc struct {
	versionDoc
	// LastVersion is the number of the last version published, zero before.
	LastVersion int64
	// Published is the fingerprint of $LATEST when LastVersion was made of it.
	Published           string
	Tags                map[string]string `json:",omitempty"`
	ReservedConcurrency *int32            `json:",omitempty"`
	RecursiveLoop       *string           `json:",omitempty"`
	// RuntimeUpdates is what PutRuntimeManagementConfig set, by qualifier.
	RuntimeUpdates map[string]runtimeUpdate `json:",omitempty"`
}

// A runtimeUpdate is stored and shown; the host's interpreter is what runs.
type runtimeUpdate struct {
	UpdateRuntimeOn   string
	RuntimeVersionArn *string `json:",omitempty"`
}

// A codeRef says where a zip, or the directory it stands for, is.
type codeRef struct {
	// Digest is the lower-case hex SHA-256 of the zip, its name in the code store.
	Digest string `json:",omitempty"`
	// Size is the zip's, UnzippedSize that of its contents, in bytes.
	Size         int64 `json:",omitempty"`
	UnzippedSize int64 `json:",omitempty"`
	// Directory is the absolute path on the host that a hot-reload function runs
	// from; Digest is empty then.
	Directory string `json:",omitempty"`
}

// A provisionedDoc is stored and shown. Environments are started on demand here,
// so there is nothing to allocate.
type provisionedDoc struct {
	Requested    int32
	LastModified string
}

// A layerDoc remembers the numbers a layer has given out: they are never used
// again.
type layerDoc struct {
	LastVersion int64
}

type layerVersionDoc struct {
	// Version is what GetLayerVersion answers, without the location.
	Version        *api.GetLayerVersionResponse
	Code           codeRef
	Policy         *resourcePolicy `json:",omitempty"`
	PolicyRevision string          `json:",omitempty"`
}

// versionID is a version's part of a key: digits that sort as numbers do.
func versionID(version int64) string { return fmt.Sprintf("%010d", version) }

// parseVersion reads a version number that can exist.
func parseVersion(s string) (int64, bool) {
	n, err := strconv.ParseInt(s, 10, 64)
	return n, err == nil && n > 0 && s[0] != '0' && isNumber(s)
}

func notFound(err error) bool { return errors.Is(err, store.ErrNotFound) }

// optional is what Get found, or nil.
func optional[T any](doc *T, err error) (*T, error) {
	if notFound(err) {
		return nil, nil
	}
	return doc, err
}

// str is the string p points at, or "".
func str(p *string) string {
	if p == nil {
		return ""
	}
	return *p
}

// deref is the value p points at, or the zero one.
func deref[T any](p *T) T {
	if p == nil {
		var zero T
		return zero
	}
	return *p
}

// or is p, or a pointer to fallback when p is nil.
func or[T any](p *T, fallback T) *T {
	if p == nil {
		return &fallback
	}
	return p
}
