package lambda

import (
	"fmt"
	"slices"

	api "gatehouse/internal/awsapi/lambda"
	"gatehouse/internal/awswire"
	"gatehouse/internal/paging"
	"gatehouse/internal/store"
)

const (
	creatingReason  = "The function is being created."
	defaultPageSize = 50
)

// CreateFunction stores a new function. Its answer says Pending, as AWS's does;
// by then the function can already be called.
func (s *Service) CreateFunction(c *awswire.Call, in *api.CreateFunctionRequest) (*api.FunctionConfiguration, error) {
	t, err := resolveNew(c, in.FunctionName)
	if err != nil {
		return nil, err
	}
	wanted := settings{
		Role: in.Role, Handler: in.Handler, Runtime: in.Runtime, Description: in.Description, KMSKeyARN: in.KMSKeyArn,
		Timeout: in.Timeout, MemorySize: in.MemorySize, Environment: in.Environment, VPC: in.VpcConfig,
		DeadLetter: in.DeadLetterConfig, Tracing: in.TracingConfig, Layers: in.Layers, Ephemeral: in.EphemeralStorage,
		SnapStart: in.SnapStart, Logging: in.LoggingConfig, Architectures: in.Architectures,
		FileSystems: in.FileSystemConfigs, Image: in.ImageConfig, CapacityProvider: in.CapacityProviderConfig,
		Durable: in.DurableConfig, Tenancy: in.TenancyConfig,
	}
	if err := wanted.check(); err != nil {
		return nil, err
	}
	if err := checkCreate(in); err != nil {
		return nil, err
	}
	if err := checkTags(in.Tags); err != nil {
		return nil, err
	}
	if err := s.checkRole(c, *in.Role, t.name); err != nil {
		return nil, err
	}
	code, err := s.takeCode(c, &codeSource{
		Zip: in.Code.ZipFile, S3Bucket: in.Code.S3Bucket, S3Key: in.Code.S3Key, S3ObjectVersion: in.Code.S3ObjectVersion, ImageURI: in.Code.ImageUri,
	})
	if err != nil {
		return nil, err
	}

	return update(s, c, func(tx *store.Tx) (*api.FunctionConfiguration, error) {
		exists, err := functions.Exists(tx, t.scope, t.name)
		if err != nil {
			return nil, err
		}
		if exists {
			return nil, api.NewResourceConflictException("Function already exist: " + t.name)
		}
		doc := &functionDoc{versionDoc: versionDoc{Configuration: newConfiguration(t)}, Tags: in.Tags}
		wanted.apply(doc.Configuration)
		if err := checkSnapStart(doc.Configuration); err != nil {
			return nil, err
		}
		if in.Environment != nil && doc.Configuration.Environment == nil {
			// An empty environment is shown if the function was made with it; an
			// update to an empty one takes it away.
			doc.Configuration.Environment = &api.EnvironmentResponse{Variables: map[string]string{}}
		}
		if in.Layers != nil {
			if err := setLayers(tx, c, &doc.versionDoc, in.Layers); err != nil {
				return nil, err
			}
		}
		setCode(&doc.versionDoc, code)
		if err := checkUnzippedSize(&doc.versionDoc); err != nil {
			return nil, err
		}
		s.touch(c, &doc.versionDoc)
		answer := pending(doc.Configuration)
		// The revision of the answer is that of the function being created; it
		// has another one once it is active.
		doc.Configuration.RevisionId = new(s.newID())
		if deref(in.Publish) {
			version, err := s.publish(tx, t, doc, nil)
			if err != nil {
				return nil, err
			}
			answer.Version = version.Configuration.Version
		}
		return answer, functions.Put(tx, t.scope, doc, t.name)
	})
}

// resolveNew reads the name of a function to be.
func resolveNew(c *awswire.Call, name *string) (target, error) {
	given := str(name)
	n, ok := parseName(given, false)
	var problems []string
	if len(given) > maxCreateNameLength {
		problems = append(problems, fmt.Sprintf("Value '%s' at 'functionName' failed to satisfy constraint: Member must have length less than or equal to %d", given, maxCreateNameLength))
	}
	if !ok {
		problems = append(problems, badPattern(given, "functionName", createNamePattern))
	}
	if len(problems) > 0 {
		return target{}, invalid(problems...)
	}
	if len(n.Function) > maxFunctionNameBytes {
		return target{}, badParameter("1 validation error detected: Value '%s' at 'functionName' failed to satisfy constraint: Member must have length less than or equal to %d", n.Function, maxFunctionNameBytes)
	}
	return target{scope: scopeOf(c), name: n.Function}, reachable(c, n)
}

// checkCreate finds what only a new function has to have.
func checkCreate(in *api.CreateFunctionRequest) error {
	if in.PackageType != nil && *in.PackageType != api.PackageTypeZip && *in.PackageType != api.PackageTypeImage {
		return invalid(fmt.Sprintf("Value '%s' at 'packageType' failed to satisfy constraint: Member must satisfy enum value set: [Image, Zip]", *in.PackageType))
	}
	if str(in.PackageType) == api.PackageTypeImage {
		return imagesUnsupported()
	}
	if in.Role == nil {
		return invalid("Value null at 'role' failed to satisfy constraint: Member must not be null")
	}
	if in.Code == nil {
		return invalid("Value null at 'code' failed to satisfy constraint: Member must not be null")
	}
	if in.Runtime == nil || str(in.Handler) == "" {
		return badParameter("Runtime and Handler are mandatory parameters for functions created with deployment packages.")
	}
	if in.PublishTo != nil {
		return badParameter("gatehouse has no capacity providers yet; leave PublishTo out.")
	}
	if in.CodeSigningConfigArn != nil {
		return api.NewCodeSigningConfigNotFoundException("The code signing configuration cannot be found. Check that the provided configuration is not deleted: " + *in.CodeSigningConfigArn + ".")
	}
	return nil
}

// checkRole finds a role that Lambda can't assume.
func (s *Service) checkRole(c *awswire.Call, role, name string) error {
	if s.opts.Role == nil {
		return nil
	}
	ok, err := s.opts.Role.LambdaCanAssume(c, role)
	if err != nil || ok {
		return err
	}
	if s.opts.StrictRoles {
		return badParameter("The role defined for the function cannot be assumed by Lambda.")
	}
	s.log.Warn("the role of a function doesn't exist or doesn't trust lambda.amazonaws.com; AWS would refuse the function",
		"function", name, "role", role)
	return nil
}

// pending is how AWS answers a creation.
func pending(cfg *api.FunctionConfiguration) *api.FunctionConfiguration {
	out := *cfg
	out.State = new(api.StatePending)
	out.StateReason = new(creatingReason)
	out.StateReasonCode = new(api.StateReasonCodeCreating)
	out.LastUpdateStatus, out.LastUpdateStatusReason, out.LastUpdateStatusReasonCode = nil, nil, nil
	return &out
}

// inProgress is how AWS answers an update.
func inProgress(cfg *api.FunctionConfiguration) *api.FunctionConfiguration {
	out := *cfg
	out.LastUpdateStatus = new(api.LastUpdateStatusInProgress)
	out.LastUpdateStatusReason = new(creatingReason)
	out.LastUpdateStatusReasonCode = new(api.StateReasonCodeCreating)
	return &out
}

// GetFunction shows a function, a version or what an alias points to.
func (s *Service) GetFunction(c *awswire.Call, in *api.GetFunctionRequest) (*api.GetFunctionResponse, error) {
	t, err := resolve(c, in.FunctionName, in.Qualifier)
	if err != nil {
		return nil, err
	}
	return view(s, c, func(tx *store.Tx) (*api.GetFunctionResponse, error) {
		doc, err := getVersion(tx, t)
		if err != nil {
			return nil, err
		}
		fn, err := getFunction(tx, t)
		if err != nil {
			return nil, err
		}
		out := &api.GetFunctionResponse{Configuration: doc.Configuration, Code: s.codeLocation(c, doc.Code)}
		if len(fn.Tags) > 0 {
			out.Tags = fn.Tags
		}
		if fn.ReservedConcurrency != nil {
			out.Concurrency = &api.Concurrency{ReservedConcurrentExecutions: fn.ReservedConcurrency}
		}
		return out, nil
	})
}

// GetFunctionConfiguration is GetFunction without the code.
func (s *Service) GetFunctionConfiguration(c *awswire.Call, in *api.GetFunctionConfigurationRequest) (*api.FunctionConfiguration, error) {
	t, err := resolve(c, in.FunctionName, in.Qualifier)
	if err != nil {
		return nil, err
	}
	return view(s, c, func(tx *store.Tx) (*api.FunctionConfiguration, error) {
		doc, err := getVersion(tx, t)
		if err != nil {
			return nil, err
		}
		return doc.Configuration, nil
	})
}

// UpdateFunctionConfiguration changes what is present in the request.
func (s *Service) UpdateFunctionConfiguration(c *awswire.Call, in *api.UpdateFunctionConfigurationRequest) (*api.FunctionConfiguration, error) {
	t, err := resolveLatest(c, in.FunctionName)
	if err != nil {
		return nil, err
	}
	wanted := settings{
		Role: in.Role, Handler: in.Handler, Runtime: in.Runtime, Description: in.Description, KMSKeyARN: in.KMSKeyArn,
		Timeout: in.Timeout, MemorySize: in.MemorySize, Environment: in.Environment, VPC: in.VpcConfig,
		DeadLetter: in.DeadLetterConfig, Tracing: in.TracingConfig, Layers: in.Layers, Ephemeral: in.EphemeralStorage,
		SnapStart: in.SnapStart, Logging: in.LoggingConfig,
		FileSystems: in.FileSystemConfigs, Image: in.ImageConfig, CapacityProvider: in.CapacityProviderConfig,
		Durable: in.DurableConfig,
	}
	if err := wanted.check(); err != nil {
		return nil, err
	}
	if in.Role != nil {
		if err := s.checkRole(c, *in.Role, t.name); err != nil {
			return nil, err
		}
	}
	return update(s, c, func(tx *store.Tx) (*api.FunctionConfiguration, error) {
		doc, err := getFunction(tx, t)
		if err != nil {
			return nil, err
		}
		if err := checkRevision(in.RevisionId, doc.Configuration.RevisionId, "GetFunction/GetAlias"); err != nil {
			return nil, err
		}
		wanted.apply(doc.Configuration)
		if err := checkSnapStart(doc.Configuration); err != nil {
			return nil, err
		}
		if in.Layers != nil {
			if err := setLayers(tx, c, &doc.versionDoc, in.Layers); err != nil {
				return nil, err
			}
			if err := checkUnzippedSize(&doc.versionDoc); err != nil {
				return nil, err
			}
		}
		s.touch(c, &doc.versionDoc)
		answer := inProgress(doc.Configuration)
		doc.Configuration.RevisionId = new(s.newID())
		return answer, functions.Put(tx, t.scope, doc, t.name)
	})
}

// UpdateFunctionCode replaces the code of $LATEST.
func (s *Service) UpdateFunctionCode(c *awswire.Call, in *api.UpdateFunctionCodeRequest) (*api.FunctionConfiguration, error) {
	t, err := resolveLatest(c, in.FunctionName)
	if err != nil {
		return nil, err
	}
	wanted := settings{Architectures: in.Architectures}
	if err := wanted.check(); err != nil {
		return nil, err
	}
	if in.PublishTo != nil {
		return nil, badParameter("gatehouse has no capacity providers yet; leave PublishTo out.")
	}
	if in.ImageUri != nil {
		return nil, badParameter("Please don't provide ImageUri when updating a function with packageType Zip.")
	}
	// Whether there is such a function comes first: unpacking is work.
	if _, err := view(s, c, func(tx *store.Tx) (*functionDoc, error) { return getFunction(tx, t) }); err != nil {
		return nil, err
	}
	code, err := s.takeCode(c, &codeSource{Zip: in.ZipFile, S3Bucket: in.S3Bucket, S3Key: in.S3Key, S3ObjectVersion: in.S3ObjectVersion})
	if err != nil {
		return nil, err
	}
	change := func(tx *store.Tx) (*functionDoc, error) {
		doc, err := getFunction(tx, t)
		if err != nil {
			return nil, err
		}
		if err := checkRevision(in.RevisionId, doc.Configuration.RevisionId, "GetFunction/GetAlias"); err != nil {
			return nil, err
		}
		wanted.apply(doc.Configuration)
		setCode(&doc.versionDoc, code)
		return doc, checkUnzippedSize(&doc.versionDoc)
	}
	if deref(in.DryRun) {
		doc, err := view(s, c, change)
		if err != nil {
			return nil, err
		}
		return doc.Configuration, nil
	}
	return update(s, c, func(tx *store.Tx) (*api.FunctionConfiguration, error) {
		doc, err := change(tx)
		if err != nil {
			return nil, err
		}
		s.touch(c, &doc.versionDoc)
		answer := inProgress(doc.Configuration)
		doc.Configuration.RevisionId = new(s.newID())
		if deref(in.Publish) {
			version, err := s.publish(tx, t, doc, nil)
			if err != nil {
				return nil, err
			}
			answer = pending(version.Configuration)
		}
		return answer, functions.Put(tx, t.scope, doc, t.name)
	})
}

// resolveLatest reads the FunctionName of an operation that changes $LATEST.
func resolveLatest(c *awswire.Call, name *string) (target, error) {
	t, err := resolve(c, name, nil)
	if err != nil {
		return t, err
	}
	if t.qualifier != "" && t.qualifier != latest {
		return t, badParameter("The function name can't be qualified with an alias or a version here; only $LATEST can be changed.")
	}
	t.qualifier = ""
	return t, nil
}

// DeleteFunction removes a function with all it has, or one version of it.
func (s *Service) DeleteFunction(c *awswire.Call, in *api.DeleteFunctionRequest) (*api.DeleteFunctionResponse, error) {
	t, err := resolve(c, in.FunctionName, in.Qualifier)
	if err != nil {
		return nil, err
	}
	out := &api.DeleteFunctionResponse{StatusCode: new(int32(204))}
	if t.qualifier != "" {
		return out, s.deleteVersion(c, t)
	}
	return update(s, c, func(tx *store.Tx) (*api.DeleteFunctionResponse, error) {
		if err := functions.Delete(tx, t.scope, t.name); err != nil {
			if notFound(err) {
				return nil, functionNotFound(t.arn())
			}
			return nil, err
		}
		for _, deleteAll := range []func(*store.Tx, scope, ...string) (int, error){
			versions.DeleteAll, aliases.DeleteAll, policies.DeleteAll, invokes.DeleteAll, provisioned.DeleteAll,
		} {
			if _, err := deleteAll(tx, t.scope, t.name); err != nil {
				return nil, err
			}
		}
		return out, nil
	})
}

func (s *Service) deleteVersion(c *awswire.Call, t target) error {
	if t.qualifier == latest {
		return badParameter("$LATEST version cannot be deleted without deleting the function.")
	}
	n, isVersion := parseVersion(t.qualifier)
	if !isVersion && isName(t.qualifier, false) && !isNumber(t.qualifier) {
		return badParameter("Deletion of aliases is not currently supported.")
	}
	return s.store.Update(c, func(tx *store.Tx) error {
		if _, err := getFunction(tx, target{scope: t.scope, name: t.name}); err != nil {
			return err
		}
		if !isVersion && !isNumber(t.qualifier) {
			return functionNotFound(t.qualified(""))
		}
		if !isVersion {
			return nil // a number that no version can have: deleting it changes nothing
		}
		for alias, err := range aliases.All(tx, t.scope, t.name) {
			if err != nil {
				return err
			}
			if pointsTo(alias.Doc, t.qualifier) {
				return api.NewResourceConflictException(fmt.Sprintf("Version is pointed by alias: %s", str(alias.Doc.AliasArn)))
			}
		}
		// Deleting a version that isn't there is no error.
		if err := versions.Delete(tx, t.scope, t.name, versionID(n)); err != nil && !notFound(err) {
			return err
		}
		return deleteQualified(tx, t)
	})
}

// deleteQualified removes what hangs on one version or alias.
func deleteQualified(tx *store.Tx, t target) error {
	for _, del := range []func(*store.Tx, scope, ...string) error{policies.Delete, invokes.Delete, provisioned.Delete} {
		if err := del(tx, t.scope, t.name, t.qualifier); err != nil && !notFound(err) {
			return err
		}
	}
	return nil
}

// ListFunctions lists $LATEST of every function, or all versions.
func (s *Service) ListFunctions(c *awswire.Call, in *api.ListFunctionsRequest) (*api.ListFunctionsResponse, error) {
	if v := in.FunctionVersion; v != nil && *v != api.FunctionVersionAll {
		return nil, invalid(fmt.Sprintf("Value '%s' at 'functionVersion' failed to satisfy constraint: Member must satisfy enum value set: [ALL]", *v))
	}
	limit, err := maxItems(in.MaxItems, defaultPageSize)
	if err != nil {
		return nil, err
	}
	return view(s, c, func(tx *store.Tx) (*api.ListFunctionsResponse, error) {
		out := &api.ListFunctionsResponse{Functions: []api.FunctionConfiguration{}}
		if in.FunctionVersion != nil {
			return out, listAllVersions(tx, scopeOf(c), str(in.Marker), limit, out)
		}
		page, next, err := functions.ListToken(tx, scopeOf(c), str(in.Marker), limit)
		if err != nil {
			return nil, pageError(err)
		}
		for _, e := range page {
			out.Functions = append(out.Functions, listed(e.Doc.Configuration))
		}
		out.NextMarker = present(next)
		return out, nil
	})
}

// listAllVersions fills out with versions by function name, $LATEST first. The
// marker names a function and one of its versions.
func listAllVersions(tx *store.Tx, sc scope, marker string, limit int, out *api.ListFunctionsResponse) error {
	after, err := paging.Decode(marker)
	if err != nil || len(after) != 0 && len(after) != 2 {
		return pageError(paging.ErrBadToken)
	}
	var last []string // the id of the last one listed
	full := func(cfg *api.FunctionConfiguration, id ...string) bool {
		if len(out.Functions) == limit {
			out.NextMarker = new(paging.Encode(last...))
			return true
		}
		out.Functions = append(out.Functions, listed(cfg))
		last = id
		return false
	}
	for fn, err := range functions.All(tx, sc) {
		if err != nil {
			return err
		}
		name := fn.ID[0]
		if after != nil && name < after[0] {
			continue
		}
		resumed := after != nil && name == after[0]
		if !resumed {
			fn.Doc.Configuration.FunctionArn = new(str(fn.Doc.Configuration.FunctionArn) + ":" + latest)
			if full(fn.Doc.Configuration, name, "") {
				return nil
			}
		}
		for v, err := range versions.All(tx, sc, name) {
			if err != nil {
				return err
			}
			if resumed && v.ID[1] <= after[1] {
				continue
			}
			if full(v.Doc.Configuration, name, v.ID[1]) {
				return nil
			}
		}
	}
	return nil
}

// listed is a configuration as lists show it: without its state.
func listed(cfg *api.FunctionConfiguration) api.FunctionConfiguration {
	out := *cfg
	out.State, out.StateReason, out.StateReasonCode = nil, nil, nil
	out.LastUpdateStatus, out.LastUpdateStatusReason, out.LastUpdateStatusReasonCode = nil, nil, nil
	out.RuntimeVersionConfig = nil
	out.Architectures = slices.Clone(out.Architectures)
	return out
}
