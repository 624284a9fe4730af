package lambda

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	api "gatehouse/internal/awsapi/lambda"
	"gatehouse/internal/awswire"
	"gatehouse/internal/store"
)

const aliasPattern = `(?!^[0-9]+$)([a-zA-Z0-9-_]+)`

// CreateAlias names a version.
func (s *Service) CreateAlias(c *awswire.Call, in *api.CreateAliasRequest) (*api.AliasConfiguration, error) {
	t, err := resolveLatest(c, in.FunctionName)
	if err != nil {
		return nil, err
	}
	name := str(in.Name)
	var problems []string
	if !isName(name, false) || isNumber(name) {
		problems = append(problems, badPattern(name, "name", aliasPattern))
	}
	if len(name) > 128 {
		problems = append(problems, fmt.Sprintf("Value '%s' at 'name' failed to satisfy constraint: Member must have length less than or equal to 128", name))
	}
	if in.FunctionVersion == nil {
		problems = append(problems, "Value null at 'functionVersion' failed to satisfy constraint: Member must not be null")
	}
	if err := checkAlias(in.FunctionVersion, in.Description, in.RoutingConfig, problems); err != nil {
		return nil, err
	}
	return update(s, c, func(tx *store.Tx) (*api.AliasConfiguration, error) {
		alias := &api.AliasConfiguration{
			AliasArn: new(t.qualified(name)), Name: &name, FunctionVersion: in.FunctionVersion,
			Description: or(in.Description, ""), RoutingConfig: routing(in.RoutingConfig), RevisionId: new(s.newID()),
		}
		if err := checkAliasVersions(tx, t, alias); err != nil {
			return nil, err
		}
		exists, err := aliases.Exists(tx, t.scope, t.name, name)
		if err != nil {
			return nil, err
		}
		if exists {
			return nil, api.NewResourceConflictException("Alias already exists: " + *alias.AliasArn)
		}
		return alias, aliases.Put(tx, t.scope, alias, t.name, name)
	})
}

// GetAlias shows an alias.
func (s *Service) GetAlias(c *awswire.Call, in *api.GetAliasRequest) (*api.AliasConfiguration, error) {
	t, err := resolveLatest(c, in.FunctionName)
	if err != nil {
		return nil, err
	}
	return view(s, c, func(tx *store.Tx) (*api.AliasConfiguration, error) {
		if _, err := getFunction(tx, t); err != nil {
			return nil, err
		}
		alias, err := aliases.Get(tx, t.scope, t.name, str(in.Name))
		if notFound(err) {
			return nil, aliasNotFound(t.qualified(str(in.Name)))
		}
		return alias, err
	})
}

// UpdateAlias changes what is present in the request. A routing configuration
// without weights takes the weights away.
func (s *Service) UpdateAlias(c *awswire.Call, in *api.UpdateAliasRequest) (*api.AliasConfiguration, error) {
	t, err := resolveLatest(c, in.FunctionName)
	if err != nil {
		return nil, err
	}
	if err := checkAlias(in.FunctionVersion, in.Description, in.RoutingConfig, nil); err != nil {
		return nil, err
	}
	return update(s, c, func(tx *store.Tx) (*api.AliasConfiguration, error) {
		if _, err := getFunction(tx, t); err != nil {
			return nil, err
		}
		alias, err := aliases.Get(tx, t.scope, t.name, str(in.Name))
		if notFound(err) {
			return nil, api.NewResourceNotFoundException("Alias not found: " + t.qualified(str(in.Name)))
		}
		if err != nil {
			return nil, err
		}
		if err := checkRevision(in.RevisionId, alias.RevisionId, "GetFunction/GetAlias"); err != nil {
			return nil, err
		}
		set(&alias.FunctionVersion, in.FunctionVersion)
		set(&alias.Description, in.Description)
		if in.RoutingConfig != nil {
			alias.RoutingConfig = routing(in.RoutingConfig)
		}
		if err := checkAliasVersions(tx, t, alias); err != nil {
			return nil, err
		}
		alias.RevisionId = new(s.newID())
		return alias, aliases.Put(tx, t.scope, alias, t.name, *alias.Name)
	})
}

// DeleteAlias removes an alias; one that isn't there is no error.
func (s *Service) DeleteAlias(c *awswire.Call, in *api.DeleteAliasRequest) error {
	t, err := resolveLatest(c, in.FunctionName)
	if err != nil {
		return err
	}
	return s.store.Update(c, func(tx *store.Tx) error {
		if _, err := getFunction(tx, t); err != nil {
			return err
		}
		err := aliases.Delete(tx, t.scope, t.name, str(in.Name))
		if notFound(err) {
			return nil
		}
		if err != nil {
			return err
		}
		return deleteQualified(tx, target{scope: t.scope, name: t.name, qualifier: str(in.Name)})
	})
}

// ListAliases lists a function's aliases by name, those of one version if asked.
func (s *Service) ListAliases(c *awswire.Call, in *api.ListAliasesRequest) (*api.ListAliasesResponse, error) {
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
	return view(s, c, func(tx *store.Tx) (*api.ListAliasesResponse, error) {
		if _, err := getFunction(tx, t); err != nil {
			return nil, err
		}
		page, next, err := aliases.ListToken(tx, t.scope, str(in.Marker), limit, t.name)
		if err != nil {
			return nil, pageError(err)
		}
		out := &api.ListAliasesResponse{Aliases: []api.AliasConfiguration{}, NextMarker: present(next)}
		for _, e := range page {
			if in.FunctionVersion == nil || pointsTo(e.Doc, *in.FunctionVersion) {
				out.Aliases = append(out.Aliases, *e.Doc)
			}
		}
		return out, nil
	})
}

// checkAlias finds what is wrong with the members by themselves, besides the
// problems already found.
func checkAlias(version, description *string, config *api.AliasRoutingConfiguration, problems []string) error {
	if version != nil && *version != latest && !isNumber(*version) {
		problems = append(problems, badPattern(*version, "functionVersion", `(\$LATEST|[0-9]+)`))
	}
	if description != nil && len(*description) > 256 {
		problems = append(problems, fmt.Sprintf("Value '%s' at 'description' failed to satisfy constraint: Member must have length less than or equal to 256", *description))
	}
	if config != nil {
		for _, v := range slices.Sorted(maps.Keys(config.AdditionalVersionWeights)) {
			w := config.AdditionalVersionWeights[v]
			shown := "{" + v + "=" + decimal(w) + "}"
			if !isNumber(v) || len(v) > 1024 {
				problems = append(problems, fmt.Sprintf("Value '%s' at 'routingConfig.additionalVersionWeights' failed to satisfy constraint: Map keys must satisfy constraint: [Member must have length less than or equal to 1024, Member must have length greater than or equal to 1, Member must satisfy regular expression pattern: [0-9]+]", shown))
			}
			if !(w >= 0 && w <= 1) {
				problems = append(problems, fmt.Sprintf("Value '%s' at 'routingConfig.additionalVersionWeights' failed to satisfy constraint: Map value must satisfy constraint: [Member must have value less than or equal to 1.0, Member must have value greater than or equal to 0.0, Member must not be null]", shown))
			}
		}
	}
	if len(problems) > 0 {
		return invalid(problems...)
	}
	if config != nil && len(config.AdditionalVersionWeights) > 1 {
		return badParameter("Number of items in AdditionalVersionWeights cannot be greater than 1")
	}
	return nil
}

// checkAliasVersions finds versions of an alias that aren't there or don't go
// together.
func checkAliasVersions(tx *store.Tx, t target, alias *api.AliasConfiguration) error {
	// A missing function is reported as a missing version.
	if _, err := versionNumbered(tx, target{scope: t.scope, name: t.name, qualifier: str(alias.FunctionVersion)}, str(alias.FunctionVersion)); err != nil {
		return err
	}
	if alias.RoutingConfig == nil {
		return nil
	}
	for v := range alias.RoutingConfig.AdditionalVersionWeights {
		if *alias.FunctionVersion == latest {
			return badParameter("$LATEST is not supported for an alias pointing to more than 1 version")
		}
		if v == *alias.FunctionVersion {
			return badParameter("Invalid function version %s. Function version %s is already included in routing configuration.", v, v)
		}
		if _, err := versionNumbered(tx, t, v); err != nil {
			return err
		}
	}
	return nil
}

// routing is config, or nil when it routes nothing elsewhere.
func routing(config *api.AliasRoutingConfiguration) *api.AliasRoutingConfiguration {
	if config == nil || len(config.AdditionalVersionWeights) == 0 {
		return nil
	}
	return config
}

func pointsTo(alias *api.AliasConfiguration, version string) bool {
	if str(alias.FunctionVersion) == version {
		return true
	}
	if alias.RoutingConfig == nil {
		return false
	}
	_, ok := alias.RoutingConfig.AdditionalVersionWeights[version]
	return ok
}

// decimal writes a weight as AWS quotes it: always with a fraction.
func decimal(f float64) string {
	s := strconv.FormatFloat(f, 'f', -1, 64)
	if !strings.Contains(s, ".") {
		s += ".0"
	}
	return s
}
