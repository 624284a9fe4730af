package lambda

import (
	"fmt"
	"slices"
	"strings"

	api "gatehouse/internal/awsapi/lambda"
	"gatehouse/internal/awswire"
	"gatehouse/internal/store"
)

// minUnreserved is what reservations must leave of an account's concurrency.
const minUnreserved = 100

// PutFunctionConcurrency reserves a part of the account's concurrency for a
// function, and bounds it by that.
func (s *Service) PutFunctionConcurrency(c *awswire.Call, in *api.PutFunctionConcurrencyRequest) (*api.Concurrency, error) {
	t, err := resolveUnqualified(c, in.FunctionName)
	if err != nil {
		return nil, err
	}
	if in.ReservedConcurrentExecutions == nil {
		return nil, invalid("Value null at 'reservedConcurrentExecutions' failed to satisfy constraint: Member must not be null")
	}
	wanted := *in.ReservedConcurrentExecutions
	if wanted < 0 {
		return nil, invalid(fmt.Sprintf("Value '%d' at 'reservedConcurrentExecutions' failed to satisfy constraint: Member must have value greater than or equal to 0", wanted))
	}
	return update(s, c, func(tx *store.Tx) (*api.Concurrency, error) {
		doc, err := functions.Get(tx, t.scope, t.name)
		if notFound(err) {
			return nil, functionNotFound(t.qualified(latest))
		}
		if err != nil {
			return nil, err
		}
		doc.ReservedConcurrency = nil
		if err := functions.Put(tx, t.scope, doc, t.name); err != nil {
			return nil, err
		}
		reserved, err := reservedConcurrency(tx, t.scope)
		if err != nil {
			return nil, err
		}
		if s.opts.AccountConcurrency-reserved-int(wanted) < minUnreserved {
			return nil, badParameter("Specified ReservedConcurrentExecutions for function decreases account's UnreservedConcurrentExecution below its minimum value of [%d].", minUnreserved)
		}
		total := int32(0)
		for p, err := range provisioned.All(tx, t.scope, t.name) {
			if err != nil {
				return nil, err
			}
			total += p.Doc.Requested
		}
		if wanted < total {
			return nil, badParameter(" ReservedConcurrentExecutions  %d should not be lower than function's total provisioned concurrency [%d].", wanted, total)
		}
		doc.ReservedConcurrency = &wanted
		return &api.Concurrency{ReservedConcurrentExecutions: &wanted}, functions.Put(tx, t.scope, doc, t.name)
	})
}

// reservedConcurrency is the sum of what the functions of a scope reserve.
func reservedConcurrency(tx *store.Tx, sc scope) (int, error) {
	sum := 0
	for fn, err := range functions.All(tx, sc) {
		if err != nil {
			return 0, err
		}
		sum += int(deref(fn.Doc.ReservedConcurrency))
	}
	return sum, nil
}

// GetFunctionConcurrency shows a function's reserved concurrency, if any.
func (s *Service) GetFunctionConcurrency(c *awswire.Call, in *api.GetFunctionConcurrencyRequest) (*api.GetFunctionConcurrencyResponse, error) {
	t, err := resolveUnqualified(c, in.FunctionName)
	if err != nil {
		return nil, err
	}
	return view(s, c, func(tx *store.Tx) (*api.GetFunctionConcurrencyResponse, error) {
		doc, err := getFunction(tx, t)
		if err != nil {
			return nil, err
		}
		return &api.GetFunctionConcurrencyResponse{ReservedConcurrentExecutions: doc.ReservedConcurrency}, nil
	})
}

// DeleteFunctionConcurrency ends a reservation.
func (s *Service) DeleteFunctionConcurrency(c *awswire.Call, in *api.DeleteFunctionConcurrencyRequest) error {
	t, err := resolveUnqualified(c, in.FunctionName)
	if err != nil {
		return err
	}
	return s.store.Update(c, func(tx *store.Tx) error {
		doc, err := getFunction(tx, t)
		if err != nil {
			return err
		}
		doc.ReservedConcurrency = nil
		return functions.Put(tx, t.scope, doc, t.name)
	})
}

// PutProvisionedConcurrencyConfig is stored and shown; environments start when
// they are needed.
func (s *Service) PutProvisionedConcurrencyConfig(c *awswire.Call, in *api.PutProvisionedConcurrencyConfigRequest) (*api.PutProvisionedConcurrencyConfigResponse, error) {
	t, err := resolve(c, in.FunctionName, in.Qualifier)
	if err != nil {
		return nil, err
	}
	wanted := deref(in.ProvisionedConcurrentExecutions)
	if wanted < 1 {
		return nil, invalid(fmt.Sprintf("Value '%d' at 'provisionedConcurrentExecutions' failed to satisfy constraint: Member must have value greater than or equal to 1", wanted))
	}
	if t.qualifier == "" || t.qualifier == latest {
		return nil, badParameter("Provisioned Concurrency Configs cannot be applied to unpublished function versions.")
	}
	return update(s, c, func(tx *store.Tx) (*api.PutProvisionedConcurrencyConfigResponse, error) {
		if err := checkPublished(tx, t); err != nil {
			return nil, err
		}
		if err := checkProvisionedOnce(tx, t); err != nil {
			return nil, err
		}
		fn, err := getFunction(tx, t)
		if err != nil {
			return nil, err
		}
		if r := fn.ReservedConcurrency; r != nil && wanted > *r {
			return nil, badParameter("Requested Provisioned Concurrency should not be greater than the reservedConcurrentExecution for function")
		}
		reserved, err := reservedConcurrency(tx, t.scope)
		if err != nil {
			return nil, err
		}
		if left := s.opts.AccountConcurrency - reserved; fn.ReservedConcurrency == nil {
			if int(wanted) > left {
				return nil, badParameter("Specified ConcurrentExecutions for function is greater than account's unreserved concurrency [%d].", left)
			}
			if left-int(wanted) < minUnreserved {
				return nil, badParameter("Specified ConcurrentExecutions for function decreases account's UnreservedConcurrentExecution below its minimum value of [%d].", minUnreserved)
			}
		}
		doc := &provisionedDoc{Requested: wanted, LastModified: c.Time.UTC().Format("2006-01-02T15:04:05-0700")}
		return &api.PutProvisionedConcurrencyConfigResponse{
			RequestedProvisionedConcurrentExecutions: &wanted,
			AllocatedProvisionedConcurrentExecutions: new(int32(0)),
			AvailableProvisionedConcurrentExecutions: new(int32(0)),
			Status:                                   new(api.ProvisionedConcurrencyStatusEnumInProgress),
			LastModified:                             &doc.LastModified,
		}, provisioned.Put(tx, t.scope, doc, t.name, t.qualifier)
	})
}

// checkPublished finds that a qualifier names no version or alias.
func checkPublished(tx *store.Tx, t target) error {
	if isNumber(t.qualifier) {
		_, err := versionNumbered(tx, t, t.qualifier)
		return err
	}
	exists, err := aliases.Exists(tx, t.scope, t.name, t.qualifier)
	if err == nil && !exists {
		return aliasNotFound(t.arn())
	}
	return err
}

// checkProvisionedOnce refuses to provision a version both by number and by an
// alias.
func checkProvisionedOnce(tx *store.Tx, t target) error {
	if isAlias(t.qualifier) {
		alias, err := aliases.Get(tx, t.scope, t.name, t.qualifier)
		if err != nil {
			return err
		}
		taken, err := provisioned.Exists(tx, t.scope, t.name, str(alias.FunctionVersion))
		if err == nil && taken {
			return api.NewResourceConflictException("Alias can't be used for Provisioned Concurrency configuration on an already Provisioned version")
		}
		return err
	}
	for p, err := range provisioned.All(tx, t.scope, t.name) {
		if err != nil {
			return err
		}
		if !isAlias(p.ID[1]) {
			continue
		}
		alias, err := optional(aliases.Get(tx, t.scope, t.name, p.ID[1]))
		if err != nil {
			return err
		}
		if alias != nil && str(alias.FunctionVersion) == t.qualifier {
			return api.NewResourceConflictException("Version is pointed by a Provisioned Concurrency alias")
		}
	}
	return nil
}

// GetProvisionedConcurrencyConfig shows what was asked for as ready.
func (s *Service) GetProvisionedConcurrencyConfig(c *awswire.Call, in *api.GetProvisionedConcurrencyConfigRequest) (*api.GetProvisionedConcurrencyConfigResponse, error) {
	t, err := resolveProvisioned(c, in.FunctionName, in.Qualifier)
	if err != nil {
		return nil, err
	}
	return view(s, c, func(tx *store.Tx) (*api.GetProvisionedConcurrencyConfigResponse, error) {
		if err := checkPublished(tx, t); err != nil {
			return nil, err
		}
		doc, err := provisioned.Get(tx, t.scope, t.name, t.qualifier)
		if notFound(err) {
			return nil, api.NewProvisionedConcurrencyConfigNotFoundException("No Provisioned Concurrency Config found for this function")
		}
		if err != nil {
			return nil, err
		}
		return &api.GetProvisionedConcurrencyConfigResponse{
			RequestedProvisionedConcurrentExecutions: &doc.Requested,
			AllocatedProvisionedConcurrentExecutions: &doc.Requested,
			AvailableProvisionedConcurrentExecutions: &doc.Requested,
			Status:                                   new(api.ProvisionedConcurrencyStatusEnumReady),
			LastModified:                             &doc.LastModified,
		}, nil
	})
}

// DeleteProvisionedConcurrencyConfig forgets it; one that isn't there is no error.
func (s *Service) DeleteProvisionedConcurrencyConfig(c *awswire.Call, in *api.DeleteProvisionedConcurrencyConfigRequest) error {
	t, err := resolveProvisioned(c, in.FunctionName, in.Qualifier)
	if err != nil {
		return err
	}
	return s.store.Update(c, func(tx *store.Tx) error {
		if err := checkPublished(tx, t); err != nil {
			return err
		}
		if err := provisioned.Delete(tx, t.scope, t.name, t.qualifier); !notFound(err) {
			return err
		}
		return nil
	})
}

func resolveProvisioned(c *awswire.Call, name, qualifier *string) (target, error) {
	t, err := resolve(c, name, qualifier)
	if err == nil && (t.qualifier == "" || t.qualifier == latest) {
		err = badParameter("The function resource provided must be an alias or a published version.")
	}
	return t, err
}

// ListProvisionedConcurrencyConfigs lists those of a function.
func (s *Service) ListProvisionedConcurrencyConfigs(c *awswire.Call, in *api.ListProvisionedConcurrencyConfigsRequest) (*api.ListProvisionedConcurrencyConfigsResponse, error) {
	t, err := resolveLatest(c, in.FunctionName)
	if err != nil {
		return nil, err
	}
	limit, err := maxItems(in.MaxItems, defaultPageSize)
	if err != nil {
		return nil, err
	}
	return view(s, c, func(tx *store.Tx) (*api.ListProvisionedConcurrencyConfigsResponse, error) {
		if _, err := getFunction(tx, t); err != nil {
			return nil, err
		}
		page, next, err := provisioned.ListToken(tx, t.scope, str(in.Marker), limit, t.name)
		if err != nil {
			return nil, pageError(err)
		}
		out := &api.ListProvisionedConcurrencyConfigsResponse{
			ProvisionedConcurrencyConfigs: []api.ProvisionedConcurrencyConfigListItem{}, NextMarker: present(next),
		}
		for _, e := range page {
			out.ProvisionedConcurrencyConfigs = append(out.ProvisionedConcurrencyConfigs, api.ProvisionedConcurrencyConfigListItem{
				FunctionArn:                              new(t.qualified(e.ID[1])),
				RequestedProvisionedConcurrentExecutions: &e.Doc.Requested,
				AllocatedProvisionedConcurrentExecutions: &e.Doc.Requested,
				AvailableProvisionedConcurrentExecutions: &e.Doc.Requested,
				Status:                                   new(api.ProvisionedConcurrencyStatusEnumReady),
				LastModified:                             &e.Doc.LastModified,
			})
		}
		return out, nil
	})
}

// GetAccountSettings shows the limits, and what of them is used.
func (s *Service) GetAccountSettings(c *awswire.Call, _ *api.GetAccountSettingsRequest) (*api.GetAccountSettingsResponse, error) {
	return view(s, c, func(tx *store.Tx) (*api.GetAccountSettingsResponse, error) {
		sc := scopeOf(c)
		var count, size int64
		reserved := 0
		for fn, err := range functions.All(tx, sc) {
			if err != nil {
				return nil, err
			}
			count++
			size += fn.Doc.Code.Size
			reserved += int(deref(fn.Doc.ReservedConcurrency))
		}
		for v, err := range versions.All(tx, sc) {
			if err != nil {
				return nil, err
			}
			size += v.Doc.Code.Size
		}
		for l, err := range layerVers.All(tx, sc) {
			if err != nil {
				return nil, err
			}
			size += l.Doc.Code.Size
		}
		return &api.GetAccountSettingsResponse{
			AccountLimit: &api.AccountLimit{
				TotalCodeSize: new(int64(80530636800)), CodeSizeUnzipped: new(int64(maxUnzippedBytes)), CodeSizeZipped: new(int64(maxZippedBytes)),
				ConcurrentExecutions:           new(int32(s.opts.AccountConcurrency)),
				UnreservedConcurrentExecutions: new(int32(s.opts.AccountConcurrency - reserved)),
			},
			AccountUsage: &api.AccountUsage{TotalCodeSize: &size, FunctionCount: &count},
		}, nil
	})
}

// GetFunctionCodeSigningConfig answers that no function has one.
func (s *Service) GetFunctionCodeSigningConfig(c *awswire.Call, in *api.GetFunctionCodeSigningConfigRequest) (*api.GetFunctionCodeSigningConfigResponse, error) {
	t, err := resolveLatest(c, in.FunctionName)
	if err != nil {
		return nil, err
	}
	return view(s, c, func(tx *store.Tx) (*api.GetFunctionCodeSigningConfigResponse, error) {
		_, err := getFunction(tx, t)
		return &api.GetFunctionCodeSigningConfigResponse{CodeSigningConfigArn: new(""), FunctionName: &t.name}, err
	})
}

// GetRuntimeManagementConfig shows what was put, Auto by default. The runtime
// that runs is the host's.
func (s *Service) GetRuntimeManagementConfig(c *awswire.Call, in *api.GetRuntimeManagementConfigRequest) (*api.GetRuntimeManagementConfigResponse, error) {
	t, err := resolve(c, in.FunctionName, in.Qualifier)
	if err != nil {
		return nil, err
	}
	return view(s, c, func(tx *store.Tx) (*api.GetRuntimeManagementConfigResponse, error) {
		if _, err := getVersion(tx, t); err != nil {
			return nil, err
		}
		fn, err := getFunction(tx, t)
		if err != nil {
			return nil, err
		}
		u, ok := fn.RuntimeUpdates[t.policyID()]
		if !ok {
			u.UpdateRuntimeOn = api.UpdateRuntimeOnAuto
		}
		return &api.GetRuntimeManagementConfigResponse{
			UpdateRuntimeOn: &u.UpdateRuntimeOn, RuntimeVersionArn: u.RuntimeVersionArn, FunctionArn: new(t.qualified(t.policyID())),
		}, nil
	})
}

// PutRuntimeManagementConfig is stored and shown.
func (s *Service) PutRuntimeManagementConfig(c *awswire.Call, in *api.PutRuntimeManagementConfigRequest) (*api.PutRuntimeManagementConfigResponse, error) {
	t, err := resolve(c, in.FunctionName, in.Qualifier)
	if err != nil {
		return nil, err
	}
	mode := str(in.UpdateRuntimeOn)
	values := []string{api.UpdateRuntimeOnAuto, api.UpdateRuntimeOnManual, api.UpdateRuntimeOnFunctionUpdate}
	if !slices.Contains(values, mode) {
		return nil, invalid(fmt.Sprintf("Value '%s' at 'updateRuntimeOn' failed to satisfy constraint: Member must satisfy enum value set: [%s]", mode, strings.Join(values, ", ")))
	}
	if (mode == api.UpdateRuntimeOnManual) != (in.RuntimeVersionArn != nil) {
		return nil, badParameter("RuntimeVersionArn goes with UpdateRuntimeOn Manual, and only with it.")
	}
	return update(s, c, func(tx *store.Tx) (*api.PutRuntimeManagementConfigResponse, error) {
		if _, err := getVersion(tx, t); err != nil {
			return nil, err
		}
		fn, err := getFunction(tx, t)
		if err != nil {
			return nil, err
		}
		if fn.RuntimeUpdates == nil {
			fn.RuntimeUpdates = map[string]runtimeUpdate{}
		}
		fn.RuntimeUpdates[t.policyID()] = runtimeUpdate{UpdateRuntimeOn: mode, RuntimeVersionArn: in.RuntimeVersionArn}
		return &api.PutRuntimeManagementConfigResponse{
			UpdateRuntimeOn: &mode, RuntimeVersionArn: in.RuntimeVersionArn, FunctionArn: new(t.qualified(t.policyID())),
		}, functions.Put(tx, t.scope, fn, t.name)
	})
}

// GetFunctionRecursionConfig shows what was put, Terminate by default.
func (s *Service) GetFunctionRecursionConfig(c *awswire.Call, in *api.GetFunctionRecursionConfigRequest) (*api.GetFunctionRecursionConfigResponse, error) {
	t, err := resolveUnqualified(c, in.FunctionName)
	if err != nil {
		return nil, err
	}
	return view(s, c, func(tx *store.Tx) (*api.GetFunctionRecursionConfigResponse, error) {
		fn, err := getFunction(tx, t)
		if err != nil {
			return nil, err
		}
		return &api.GetFunctionRecursionConfigResponse{RecursiveLoop: or(fn.RecursiveLoop, api.RecursiveLoopTerminate)}, nil
	})
}

// PutFunctionRecursionConfig is stored and shown; loops aren't detected here.
func (s *Service) PutFunctionRecursionConfig(c *awswire.Call, in *api.PutFunctionRecursionConfigRequest) (*api.PutFunctionRecursionConfigResponse, error) {
	t, err := resolveUnqualified(c, in.FunctionName)
	if err != nil {
		return nil, err
	}
	if v := str(in.RecursiveLoop); v != api.RecursiveLoopAllow && v != api.RecursiveLoopTerminate {
		return nil, invalid(fmt.Sprintf("Value '%s' at 'recursiveLoop' failed to satisfy constraint: Member must satisfy enum value set: [Terminate, Allow]", v))
	}
	return update(s, c, func(tx *store.Tx) (*api.PutFunctionRecursionConfigResponse, error) {
		fn, err := getFunction(tx, t)
		if err != nil {
			return nil, err
		}
		fn.RecursiveLoop = in.RecursiveLoop
		return &api.PutFunctionRecursionConfigResponse{RecursiveLoop: in.RecursiveLoop}, functions.Put(tx, t.scope, fn, t.name)
	})
}
