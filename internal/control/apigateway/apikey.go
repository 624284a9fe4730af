package apigateway

import (
	"maps"
	"slices"
	"strings"
	"unicode/utf8"

	"gatehouse/internal/awsapi/apigateway"
	"gatehouse/internal/awswire"
	"gatehouse/internal/control/apiid"
	"gatehouse/internal/definition"
	"gatehouse/internal/store"
)

// The bounds of an API key's texts, in characters, and the length of the values
// that AWS makes.
const (
	minKeyValue       = 20
	maxKeyValue       = 128
	keyValueLength    = 40
	maxKeyName        = 1024
	maxKeyDescription = 125000
)

const keyAlphabet = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"

// CreateApiKey makes an API key. Its id is always another text than its value;
// that generateDistinctId could say otherwise is history at AWS, too.
func (s *Service) CreateApiKey(c *awswire.Call, in *apigateway.CreateApiKeyRequest) (*apigateway.ApiKey, error) {
	key := &definition.APIKey{}
	key.Name, key.Description, key.CustomerId = nonEmpty(in.Name), nonEmpty(in.Description), nonEmpty(in.CustomerId)
	key.Value = nonEmpty(in.Value)
	key.Enabled = orDefault(in.Enabled, false)
	key.Tags = maps.Clone(in.Tags)
	err := s.store.Update(c, func(tx *store.Tx) error {
		key.StageKeys = nil
		for _, stage := range in.StageKeys {
			if err := addStageKey(tx, c, key, value(stage.RestApiId), value(stage.StageName)); err != nil {
				return err
			}
		}
		return s.addKey(tx, c, key, map[string]struct{}{})
	})
	if err != nil {
		return nil, err
	}
	view := keyView(key, true)
	view.Tags = key.Tags
	return view, nil
}

// addStageKey notes a stage of a key. What a key opens is said by usage plans:
// this is what was there before them.
func addStageKey(tx *store.Tx, c *awswire.Call, key *definition.APIKey, apiID, stage string) error {
	if _, err := getStage(tx, c, apiID, stage); err != nil {
		return err
	}
	if name := apiID + "/" + stage; !slices.Contains(key.StageKeys, name) {
		key.StageKeys = append(slices.Clip(key.StageKeys), name)
	}
	return nil
}

// addKey stores a new key, whose value is made up if it has none. values are
// those that the transaction gave to others; it adds the new one.
func (s *Service) addKey(tx *store.Tx, c *awswire.Call, key *definition.APIKey, values map[string]struct{}) error {
	if err := checkKey(key); err != nil {
		return err
	}
	if key.Value == nil {
		made, err := apiid.Text(s.rand, keyAlphabet, keyValueLength)
		if err != nil {
			return err
		}
		key.Value = &made
	}
	if _, used := values[*key.Value]; used || s.keys.Taken(scope(c), *key.Value) {
		return conflict("API Key already exists")
	}
	values[*key.Value] = struct{}{}
	id, err := s.freeID(apiIDLength, func(id string) (bool, error) { return definition.APIKeys.Exists(tx, scope(c), id) })
	if err != nil {
		return err
	}
	key.Id, key.CreatedDate, key.LastUpdatedDate = &id, now(c), now(c)
	return definition.APIKeys.Put(tx, scope(c), key, id)
}

func checkKey(key *definition.APIKey) error {
	if utf8.RuneCountInString(value(key.Name)) > maxKeyName {
		return badRequest("Invalid API Key name, can be at most %d characters.", maxKeyName)
	}
	if key.Value != nil {
		switch n := len(*key.Value); {
		case n < minKeyValue:
			return badRequest("API Key value should be at least %d characters", minKeyValue)
		case n > maxKeyValue:
			return badRequest("API Key value exceeds maximum size of %d characters", maxKeyValue)
		}
	}
	if utf8.RuneCountInString(value(key.Description)) > maxKeyDescription {
		return badRequest("Invalid API Key description specified.")
	}
	return nil
}

// GetApiKey returns one key, with its value if that is asked for.
func (s *Service) GetApiKey(c *awswire.Call, in *apigateway.GetApiKeyRequest) (*apigateway.ApiKey, error) {
	var key *definition.APIKey
	err := s.store.View(c, func(tx *store.Tx) (err error) {
		key, err = getKey(tx, c, value(in.ApiKey))
		return err
	})
	if err != nil {
		return nil, err
	}
	return taggedKeyView(key, value(in.IncludeValue)), nil
}

// GetApiKeys lists the keys of the account and region.
func (s *Service) GetApiKeys(c *awswire.Call, in *apigateway.GetApiKeysRequest) (*apigateway.ApiKeys, error) {
	out := &apigateway.ApiKeys{}
	keep := func(key *definition.APIKey) bool {
		return strings.HasPrefix(value(key.Name), value(in.NameQuery)) &&
			(value(in.CustomerId) == "" || value(key.CustomerId) == *in.CustomerId)
	}
	err := s.store.View(c, func(tx *store.Tx) (err error) {
		out.Items, out.Position, err = listWhere(tx, scope(c), definition.APIKeys, pageRequest{in.Limit, in.Position}, keep,
			func(e store.Entry[definition.APIKey]) apigateway.ApiKey {
				return *keyView(e.Doc, value(in.IncludeValues))
			})
		return err
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

// A key's patch may name stages, which are looked up.
type keyPatch struct {
	definition.APIKey
	add func(apiID, stage string) error
}

var keyRules = patchRules[keyPatch]{refuse: refuseListing, rules: []patchRule[keyPatch]{
	{path: "/description", ops: opReplace},
	{path: "/enabled", ops: opReplace},
	{path: "/name", ops: opReplace},
	{path: "/customerId", ops: opReplace},
	{path: "/stages", ops: opAdd | opRemove, set: func(p *keyPatch, o patchOp) error {
		apiID, stage, ok := strings.Cut(value(o.Value), "/")
		if !ok {
			// UNVERIFIED: the words.
			return badRequest("Invalid stage specified: %s", value(o.Value))
		}
		if o.Op == apigateway.OpAdd {
			return p.add(apiID, stage)
		}
		p.StageKeys = slices.DeleteFunc(slices.Clone(p.StageKeys), func(s string) bool { return s == *o.Value })
		return nil
	}},
}}

// UpdateApiKey patches a key, whose value stays what it is.
func (s *Service) UpdateApiKey(c *awswire.Call, in *apigateway.UpdateApiKeyRequest) (*apigateway.ApiKey, error) {
	var key *definition.APIKey
	err := s.store.Update(c, func(tx *store.Tx) (err error) {
		id := value(in.ApiKey)
		if key, err = getKey(tx, c, id); err != nil {
			return err
		}
		patched := keyPatch{APIKey: *key}
		patched.add = func(apiID, stage string) error { return addStageKey(tx, c, &patched.APIKey, apiID, stage) }
		if err := keyRules.apply(&patched, in.PatchOperations); err != nil {
			return err
		}
		key = &patched.APIKey
		if err := checkKey(key); err != nil {
			return err
		}
		key.LastUpdatedDate = now(c)
		return definition.APIKeys.Put(tx, scope(c), key, id)
	})
	if err != nil {
		return nil, err
	}
	return taggedKeyView(key, false), nil
}

// DeleteApiKey removes a key, from the usage plans it is in as well.
func (s *Service) DeleteApiKey(c *awswire.Call, in *apigateway.DeleteApiKeyRequest) error {
	return s.store.Update(c, func(tx *store.Tx) error {
		id := value(in.ApiKey)
		if _, err := getKey(tx, c, id); err != nil {
			return err
		}
		plans, err := plansOfKey(tx, c, id)
		if err != nil {
			return err
		}
		for _, plan := range plans {
			if err := definition.UsagePlanKeys.Delete(tx, scope(c), *plan.Id, id); err != nil {
				return err
			}
		}
		return definition.APIKeys.Delete(tx, scope(c), id)
	})
}

func getKey(tx *store.Tx, c *awswire.Call, id string) (*definition.APIKey, error) {
	key, err := definition.APIKeys.Get(tx, scope(c), id)
	return key, missing(err, "Invalid API Key identifier specified")
}

// keyView is the shape as lists carry it.
func keyView(key *definition.APIKey, withValue bool) *apigateway.ApiKey {
	view := key.ApiKey
	view.Tags = nil
	if view.StageKeys == nil {
		view.StageKeys = []string{}
	}
	if !withValue {
		view.Value = nil
	}
	return &view
}

// taggedKeyView is the shape as answers about one key carry it.
func taggedKeyView(key *definition.APIKey, withValue bool) *apigateway.ApiKey {
	view := keyView(key, withValue)
	view.Tags = tagsView(key.Tags)
	return view
}
