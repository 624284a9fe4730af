package lambda

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strconv"

	api "gatehouse/internal/awsapi/lambda"
	"gatehouse/internal/awswire"
	"gatehouse/internal/paging"
	"gatehouse/internal/store"
)

// maxVersionsPage is beyond AWS's 50: Terraform asks for 10,000 versions and
// takes the last one it gets for the newest.
const maxVersionsPage = 10_000

// PublishVersion makes a version of $LATEST. When nothing changed since the
// last one, that is the answer.
func (s *Service) PublishVersion(c *awswire.Call, in *api.PublishVersionRequest) (*api.FunctionConfiguration, error) {
	t, err := resolveLatest(c, in.FunctionName)
	if err != nil {
		return nil, err
	}
	if in.PublishTo != nil {
		return nil, badParameter("gatehouse has no capacity providers yet; leave PublishTo out.")
	}
	if in.Description != nil && len(*in.Description) > 256 {
		return nil, invalid(fmt.Sprintf("Value '%s' at 'description' failed to satisfy constraint: Member must have length less than or equal to 256", *in.Description))
	}
	return update(s, c, func(tx *store.Tx) (*api.FunctionConfiguration, error) {
		doc, err := getFunction(tx, t)
		if err != nil {
			return nil, err
		}
		if err := checkRevision(in.RevisionId, doc.Configuration.RevisionId, "GetFunction/GetAlias"); err != nil {
			return nil, err
		}
		if sha := str(doc.Configuration.CodeSha256); in.CodeSha256 != nil && *in.CodeSha256 != "" && *in.CodeSha256 != sha {
			return nil, badParameter("CodeSHA256 (%s) is different from current CodeSHA256 in $LATEST (%s). Please try again with the CodeSHA256 in $LATEST.", *in.CodeSha256, sha)
		}
		version, err := s.publish(tx, t, doc, in.Description)
		if err != nil {
			return nil, err
		}
		return version.Configuration, functions.Put(tx, t.scope, doc, t.name)
	})
}

// publish stores $LATEST of doc as its next version, or finds that the last one
// is the same. The caller stores doc.
func (s *Service) publish(tx *store.Tx, t target, doc *functionDoc, description *string) (*versionDoc, error) {
	print, err := doc.fingerprint()
	if err != nil {
		return nil, err
	}
	if print == doc.Published {
		last, err := optional(versions.Get(tx, t.scope, t.name, versionID(doc.LastVersion)))
		if last != nil || err != nil {
			return last, err
		}
	}
	doc.LastVersion++
	doc.Published = print
	number := strconv.FormatInt(doc.LastVersion, 10)

	version := doc.versionDoc
	cfg := *doc.Configuration
	cfg.Version = &number
	cfg.FunctionArn = new(t.qualified(number))
	cfg.RevisionId = new(s.newID())
	set(&cfg.Description, description)
	version.Configuration = &cfg
	doc.Configuration.RevisionId = new(s.newID())
	return &version, versions.Put(tx, t.scope, &version, t.name, versionID(doc.LastVersion))
}

// fingerprint is equal for two states of $LATEST that make the same version.
func (d *functionDoc) fingerprint() (string, error) {
	cfg := *d.Configuration
	cfg.RevisionId, cfg.LastModified = nil, nil
	cfg.State, cfg.StateReason, cfg.StateReasonCode = nil, nil, nil
	cfg.LastUpdateStatus, cfg.LastUpdateStatusReason, cfg.LastUpdateStatusReasonCode = nil, nil, nil
	b, err := json.Marshal(versionDoc{Configuration: &cfg, Code: d.Code, LayerCode: d.LayerCode})
	if err != nil {
		return "", fmt.Errorf("fingerprint of %s: %w", str(cfg.FunctionName), err)
	}
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:]), nil
}

// ListVersionsByFunction lists $LATEST and then the versions by number.
func (s *Service) ListVersionsByFunction(c *awswire.Call, in *api.ListVersionsByFunctionRequest) (*api.ListVersionsByFunctionResponse, error) {
	t, err := resolveLatest(c, in.FunctionName)
	if err != nil {
		return nil, err
	}
	limit, err := maxItems(in.MaxItems, maxVersionsPage)
	if err != nil {
		return nil, err
	}
	if in.MaxItems == nil {
		limit = defaultPageSize
	}
	return view(s, c, func(tx *store.Tx) (*api.ListVersionsByFunctionResponse, error) {
		doc, err := getFunction(tx, t)
		if err != nil {
			return nil, err
		}
		out := &api.ListVersionsByFunctionResponse{Versions: []api.FunctionConfiguration{}}
		if str(in.Marker) == "" {
			doc.Configuration.FunctionArn = new(t.qualified(latest))
			out.Versions = append(out.Versions, listed(doc.Configuration))
			limit--
		}
		marker := str(in.Marker)
		if marker == "" {
			// Behind $LATEST: before every number.
			marker = paging.Encode(t.name, "")
		}
		if limit == 0 {
			out.NextMarker = &marker
			return out, nil
		}
		page, next, err := versions.ListToken(tx, t.scope, marker, limit, t.name)
		if err != nil {
			return nil, pageError(err)
		}
		for _, e := range page {
			out.Versions = append(out.Versions, listed(e.Doc.Configuration))
		}
		out.NextMarker = present(next)
		return out, nil
	})
}
