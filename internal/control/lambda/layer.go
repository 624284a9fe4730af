package lambda

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"gatehouse/internal/arn"
	api "gatehouse/internal/awsapi/lambda"
	"gatehouse/internal/awswire"
	"gatehouse/internal/paging"
	"gatehouse/internal/store"
)

const (
	layerARNPattern = `(arn:(aws[a-zA-Z-]*)?:lambda:(eusc-)?[a-z]{2}((-gov)|(-iso([a-z]?)))?-[a-z]+-\d{1}:\d{12}:layer:[a-zA-Z0-9-_]+:[0-9]+)|(arn:[a-zA-Z0-9-]+:lambda:::awslayer:[a-zA-Z0-9-_]+)`
	layerPattern    = `(arn:[a-zA-Z0-9-]+:lambda:(eusc-)?[a-z]{2}((-gov)|(-iso([a-z]?)))?-[a-z]+-\d{1}:\d{12}:layer:[a-zA-Z0-9-_]+)|[a-zA-Z0-9-_]+`
)

// A layerRef is a layer, or a version of it, in its account and region.
type layerRef struct {
	scope   scope
	name    string
	version int64 // zero: the layer as a whole
}

func (l layerRef) arn() string {
	s := "arn:" + arn.Partition(l.scope.Region) + ":lambda:" + l.scope.Region + ":" + l.scope.Account + ":layer:" + l.name
	if l.version > 0 {
		s += ":" + strconv.FormatInt(l.version, 10)
	}
	return s
}

// parseLayerARN reads the ARN of a layer version.
func parseLayerARN(s string) (layerRef, bool) {
	a, err := arn.Parse(s)
	if err != nil || a.Service != "lambda" || !isRegion(a.Region) || !isAccount(a.Account) {
		return layerRef{}, false
	}
	rest, ok := strings.CutPrefix(a.Resource, "layer:")
	name, number, qualified := strings.Cut(rest, ":")
	version, err := strconv.ParseInt(number, 10, 64)
	if !ok || !qualified || !isName(name, false) || !isNumber(number) || err != nil {
		return layerRef{}, false
	}
	return layerRef{scope: scope{Account: a.Account, Region: a.Region}, name: name, version: version}, true
}

// resolveLayer reads the LayerName member: a name or an ARN without version.
func resolveLayer(c *awswire.Call, name *string) (layerRef, error) {
	l := layerRef{scope: scopeOf(c), name: str(name)}
	if strings.HasPrefix(l.name, "arn:") {
		ref, ok := parseLayerARN(l.name + ":1")
		if !ok {
			return l, invalid(badPattern(l.name, "layerName", layerPattern))
		}
		if ref.scope != l.scope {
			return l, accessDenied(c, l.name)
		}
		l.name = ref.name
	}
	if !isName(l.name, false) {
		return l, invalid(badPattern(l.name, "layerName", layerPattern))
	}
	if len(l.name) > 140 {
		return l, invalid(fmt.Sprintf("Value '%s' at 'layerName' failed to satisfy constraint: Member must have length less than or equal to 140", l.name))
	}
	return l, nil
}

func resolveLayerVersion(c *awswire.Call, name *string, version *int64) (layerRef, error) {
	l, err := resolveLayer(c, name)
	if err != nil {
		return l, err
	}
	if l.version = deref(version); l.version < 1 {
		return l, badParameter("Layer Version Cannot be less than 1")
	}
	return l, nil
}

func getLayerVersion(tx *store.Tx, l layerRef) (*layerVersionDoc, error) {
	return layerVers.Get(tx, l.scope, l.name, versionID(l.version))
}

// setLayers attaches layers to a function, in their order.
func setLayers(tx *store.Tx, c *awswire.Call, doc *versionDoc, arns []string) error {
	doc.LayerCode, doc.Configuration.Layers = nil, nil
	refs := make([]layerRef, len(arns))
	for i, s := range arns {
		ref, ok := parseLayerARN(s)
		if !ok {
			return invalid(fmt.Sprintf("Value '[%s]' at 'layers' failed to satisfy constraint: Member must satisfy constraint: [Member must have length less than or equal to 2048, Member must have length greater than or equal to 1, Member must satisfy regular expression pattern: %s, Member must not be null]", strings.Join(arns, ", "), layerARNPattern))
		}
		refs[i] = ref
	}
	if len(refs) > maxLayers {
		return badParameter("Cannot reference more than %d layers.", maxLayers)
	}
	for i, ref := range refs {
		for _, before := range refs[:i] {
			if before.scope == ref.scope && before.name == ref.name {
				return badParameter("Two different versions of the same layer are not allowed to be referenced in the same function. %s and %s are versions of the same layer.", before.arn(), ref.arn())
			}
		}
		if ref.scope.Region != c.Region {
			return badParameter("Layers are not in the same region as the function. Layers are expected to be in region %s.", c.Region)
		}
		layer, err := getLayerVersion(tx, ref)
		if notFound(err) {
			return badParameter("Layer version %s does not exist.", ref.arn())
		}
		if err != nil {
			return err
		}
		if ref.scope.Account != c.Account && !layer.Policy.sharedWith(c.Account) {
			return accessDenied(c, ref.arn())
		}
		doc.LayerCode = append(doc.LayerCode, layer.Code)
		doc.Configuration.Layers = append(doc.Configuration.Layers, api.Layer{Arn: new(ref.arn()), CodeSize: &layer.Code.Size})
	}
	return nil
}

// sharedWith tells whether the policy of a layer version lets another account
// use it.
func (p *resourcePolicy) sharedWith(account string) bool {
	if p == nil {
		return false
	}
	return slices.ContainsFunc(p.Statement, func(s statement) bool {
		who := s.Principal.AWS
		return s.Principal == (principal{}) && s.Condition == nil || strings.HasSuffix(who, "::"+account+":root")
	})
}

// PublishLayerVersion makes the next version of a layer.
func (s *Service) PublishLayerVersion(c *awswire.Call, in *api.PublishLayerVersionRequest) (*api.PublishLayerVersionResponse, error) {
	l, err := resolveLayer(c, in.LayerName)
	if err != nil {
		return nil, err
	}
	if err := checkLayer(in); err != nil {
		return nil, err
	}
	code, err := s.takeCode(c, &codeSource{Zip: in.Content.ZipFile, S3Bucket: in.Content.S3Bucket, S3Key: in.Content.S3Key, S3ObjectVersion: in.Content.S3ObjectVersion, Layer: true})
	if err != nil {
		return nil, err
	}
	if code.UnzippedSize >= maxUnzippedBytes {
		return nil, unzippedTooLarge()
	}
	return update(s, c, func(tx *store.Tx) (*api.PublishLayerVersionResponse, error) {
		counter, err := optional(layers.Get(tx, l.scope, l.name))
		if err != nil {
			return nil, err
		}
		if counter == nil {
			counter = &layerDoc{}
		}
		counter.LastVersion++
		v := layerRef{scope: l.scope, name: l.name, version: counter.LastVersion}
		doc := &layerVersionDoc{Code: code, Version: &api.GetLayerVersionResponse{
			Content:  &api.LayerVersionContentOutput{CodeSha256: new(codeSHA256(code)), CodeSize: &code.Size},
			LayerArn: new(l.arn()), LayerVersionArn: new(v.arn()), Version: &v.version,
			Description: or(in.Description, ""), CreatedDate: new(lastModified(c)), LicenseInfo: in.LicenseInfo,
			CompatibleArchitectures: orEmpty(in.CompatibleArchitectures), CompatibleRuntimes: orEmpty(in.CompatibleRuntimes),
		}}
		if err := layers.Put(tx, l.scope, counter, l.name); err != nil {
			return nil, err
		}
		if err := layerVers.Put(tx, l.scope, doc, l.name, versionID(v.version)); err != nil {
			return nil, err
		}
		out := api.PublishLayerVersionResponse(*s.shownLayer(c, doc))
		return &out, nil
	})
}

func checkLayer(in *api.PublishLayerVersionRequest) error {
	var problems []string
	supported := func(r string) bool {
		return slices.Contains(currentRuntimes[:], r) || slices.Contains(retiredRuntimes[:], r)
	}
	if !all(in.CompatibleRuntimes, supported) {
		problems = append(problems, fmt.Sprintf("Value '[%s]' at 'compatibleRuntimes' failed to satisfy constraint: Member must satisfy enum value set: [%s]", strings.Join(in.CompatibleRuntimes, ", "), strings.Join(currentRuntimes[:], ", ")))
	}
	if !all(in.CompatibleArchitectures, func(a string) bool { return a == api.ArchitectureX8664 || a == api.ArchitectureArm64 }) {
		problems = append(problems, fmt.Sprintf("Value '[%s]' at 'compatibleArchitectures' failed to satisfy constraint: Member must satisfy constraint: [Member must satisfy enum value set: [x86_64, arm64], Member must not be null]", strings.Join(in.CompatibleArchitectures, ", ")))
	}
	if in.Description != nil && len(*in.Description) > 256 {
		problems = append(problems, fmt.Sprintf("Value '%s' at 'description' failed to satisfy constraint: Member must have length less than or equal to 256", *in.Description))
	}
	if in.LicenseInfo != nil && len(*in.LicenseInfo) > 512 {
		problems = append(problems, fmt.Sprintf("Value '%s' at 'licenseInfo' failed to satisfy constraint: Member must have length less than or equal to 512", *in.LicenseInfo))
	}
	if in.Content == nil {
		problems = append(problems, "Value null at 'content' failed to satisfy constraint: Member must not be null")
	}
	if len(problems) > 0 {
		return invalid(problems...)
	}
	return nil
}

func all(list []string, ok func(string) bool) bool {
	return !slices.ContainsFunc(list, func(s string) bool { return !ok(s) })
}

func orEmpty(list []string) []string {
	if list == nil {
		return []string{}
	}
	return list
}

// shownLayer is a layer version with an address to download it from.
func (s *Service) shownLayer(c *awswire.Call, doc *layerVersionDoc) *api.GetLayerVersionResponse {
	out := *doc.Version
	content := *out.Content
	content.Location = s.codeLocation(c, doc.Code).Location
	out.Content = &content
	return &out
}

// GetLayerVersion shows a version of a layer.
func (s *Service) GetLayerVersion(c *awswire.Call, in *api.GetLayerVersionRequest) (*api.GetLayerVersionResponse, error) {
	l, err := resolveLayerVersion(c, in.LayerName, in.VersionNumber)
	if err != nil {
		return nil, err
	}
	return s.getLayer(c, l)
}

// GetLayerVersionByArn is GetLayerVersion for an ARN that has the version.
func (s *Service) GetLayerVersionByArn(c *awswire.Call, in *api.GetLayerVersionByArnRequest) (*api.GetLayerVersionResponse, error) {
	l, ok := parseLayerARN(str(in.Arn))
	if !ok {
		return nil, invalid(badPattern(str(in.Arn), "arn", layerARNPattern))
	}
	return s.getLayer(c, l)
}

func (s *Service) getLayer(c *awswire.Call, l layerRef) (*api.GetLayerVersionResponse, error) {
	return view(s, c, func(tx *store.Tx) (*api.GetLayerVersionResponse, error) {
		doc, err := getLayerVersion(tx, l)
		if notFound(err) {
			return nil, resourceNotFound()
		}
		if err != nil {
			return nil, err
		}
		if l.scope.Account != c.Account && !doc.Policy.sharedWith(c.Account) {
			return nil, accessDenied(c, l.arn())
		}
		return s.shownLayer(c, doc), nil
	})
}

// DeleteLayerVersion removes a version; one that isn't there is no error, and
// functions that have it keep it.
func (s *Service) DeleteLayerVersion(c *awswire.Call, in *api.DeleteLayerVersionRequest) error {
	l, err := resolveLayerVersion(c, in.LayerName, in.VersionNumber)
	if err != nil {
		return err
	}
	return s.store.Update(c, func(tx *store.Tx) error {
		if err := layerVers.Delete(tx, l.scope, l.name, versionID(l.version)); !notFound(err) {
			return err
		}
		return nil
	})
}

// ListLayerVersions lists the versions of a layer, the newest first.
func (s *Service) ListLayerVersions(c *awswire.Call, in *api.ListLayerVersionsRequest) (*api.ListLayerVersionsResponse, error) {
	l, err := resolveLayer(c, in.LayerName)
	if err != nil {
		return nil, err
	}
	if err := checkCompatible(in.CompatibleRuntime, in.CompatibleArchitecture); err != nil {
		return nil, err
	}
	limit, err := maxItems(in.MaxItems, defaultPageSize)
	if err != nil {
		return nil, err
	}
	return view(s, c, func(tx *store.Tx) (*api.ListLayerVersionsResponse, error) {
		found, err := listLayerVersions(tx, l, in.CompatibleRuntime, in.CompatibleArchitecture)
		if err != nil {
			return nil, err
		}
		newestFirst := func(v api.LayerVersionsListItem) string { return fmt.Sprintf("%019d", 1<<62-*v.Version) }
		page, next, err := paging.Slice(found, newestFirst, str(in.Marker), limit)
		if err != nil {
			return nil, pageError(err)
		}
		return &api.ListLayerVersionsResponse{LayerVersions: append([]api.LayerVersionsListItem{}, page...), NextMarker: present(next)}, nil
	})
}

// ListLayers lists layers with their newest version that fits.
func (s *Service) ListLayers(c *awswire.Call, in *api.ListLayersRequest) (*api.ListLayersResponse, error) {
	if err := checkCompatible(in.CompatibleRuntime, in.CompatibleArchitecture); err != nil {
		return nil, err
	}
	limit, err := maxItems(in.MaxItems, defaultPageSize)
	if err != nil {
		return nil, err
	}
	return view(s, c, func(tx *store.Tx) (*api.ListLayersResponse, error) {
		var found []api.LayersListItem
		for layer, err := range layers.All(tx, scopeOf(c)) {
			if err != nil {
				return nil, err
			}
			l := layerRef{scope: scopeOf(c), name: layer.ID[0]}
			vs, err := listLayerVersions(tx, l, in.CompatibleRuntime, in.CompatibleArchitecture)
			if err != nil {
				return nil, err
			}
			if len(vs) > 0 {
				found = append(found, api.LayersListItem{LayerName: &l.name, LayerArn: new(l.arn()), LatestMatchingVersion: &vs[0]})
			}
		}
		page, next, err := paging.Slice(found, func(l api.LayersListItem) string { return *l.LayerName }, str(in.Marker), limit)
		if err != nil {
			return nil, pageError(err)
		}
		return &api.ListLayersResponse{Layers: append([]api.LayersListItem{}, page...), NextMarker: present(next)}, nil
	})
}

// listLayerVersions lists the versions that fit, the newest first.
func listLayerVersions(tx *store.Tx, l layerRef, runtime, architecture *string) ([]api.LayerVersionsListItem, error) {
	var found []api.LayerVersionsListItem
	for e, err := range layerVers.All(tx, l.scope, l.name) {
		if err != nil {
			return nil, err
		}
		v := e.Doc.Version
		if runtime != nil && !slices.Contains(v.CompatibleRuntimes, *runtime) ||
			architecture != nil && !slices.Contains(v.CompatibleArchitectures, *architecture) {
			continue
		}
		found = append(found, api.LayerVersionsListItem{
			LayerVersionArn: v.LayerVersionArn, Version: v.Version, Description: v.Description, CreatedDate: v.CreatedDate,
			CompatibleArchitectures: v.CompatibleArchitectures, CompatibleRuntimes: v.CompatibleRuntimes, LicenseInfo: v.LicenseInfo,
		})
	}
	slices.Reverse(found)
	return found, nil
}

func checkCompatible(runtime, architecture *string) error {
	var problems []string
	if runtime != nil && !slices.Contains(currentRuntimes[:], *runtime) && !slices.Contains(retiredRuntimes[:], *runtime) {
		problems = append(problems, fmt.Sprintf("Value '%s' at 'compatibleRuntime' failed to satisfy constraint: Member must satisfy enum value set: [%s]", *runtime, strings.Join(append(slices.Clone(currentRuntimes[:]), retiredRuntimes[:]...), ", ")))
	}
	if architecture != nil && *architecture != api.ArchitectureX8664 && *architecture != api.ArchitectureArm64 {
		problems = append(problems, fmt.Sprintf("Value '%s' at 'compatibleArchitecture' failed to satisfy constraint: Member must satisfy enum value set: [x86_64, arm64]", *architecture))
	}
	if len(problems) > 0 {
		return invalid(problems...)
	}
	return nil
}

// AddLayerVersionPermission lets other accounts use a layer version.
func (s *Service) AddLayerVersionPermission(c *awswire.Call, in *api.AddLayerVersionPermissionRequest) (*api.AddLayerVersionPermissionResponse, error) {
	l, err := resolveLayerVersion(c, in.LayerName, in.VersionNumber)
	if err != nil {
		return nil, err
	}
	var problems []string
	if id := str(in.StatementId); !isName(id, false) {
		problems = append(problems, badPattern(id, "statementId", statementPattern))
	}
	if action := str(in.Action); action != "lambda:GetLayerVersion" {
		problems = append(problems, badPattern(action, "action", "lambda:GetLayerVersion"))
	}
	who, ok := parsePrincipal(str(in.Principal), c.Region)
	if !ok || who.Service != "" {
		problems = append(problems, badPattern(str(in.Principal), "principal", `\d{12}|\*|arn:(aws[a-zA-Z-]*):iam::\d{12}:root`))
	}
	if len(problems) > 0 {
		return nil, invalid(problems...)
	}
	st := statement{Sid: *in.StatementId, Effect: "Allow", Principal: who, Action: *in.Action, Resource: l.arn()}
	if org := str(in.OrganizationId); org != "" {
		st.Condition = &condition{StringEquals: &stringEquals{PrincipalOrgID: org}}
	}
	text, err := json.Marshal(st)
	if err != nil {
		return nil, fmt.Errorf("write statement: %w", err)
	}
	return update(s, c, func(tx *store.Tx) (*api.AddLayerVersionPermissionResponse, error) {
		doc, err := getLayerVersion(tx, l)
		if notFound(err) {
			return nil, noLayerVersion(l)
		}
		if err != nil {
			return nil, err
		}
		if err := checkRevision(in.RevisionId, &doc.PolicyRevision, "GetLayerPolicy"); err != nil {
			return nil, err
		}
		if doc.Policy == nil {
			doc.Policy = newPolicy()
		}
		if !doc.Policy.add(st) {
			return nil, statementExists(st.Sid)
		}
		doc.PolicyRevision = s.newID()
		return &api.AddLayerVersionPermissionResponse{Statement: new(string(text)), RevisionId: &doc.PolicyRevision},
			layerVers.Put(tx, l.scope, doc, l.name, versionID(l.version))
	})
}

// RemoveLayerVersionPermission takes a statement away.
func (s *Service) RemoveLayerVersionPermission(c *awswire.Call, in *api.RemoveLayerVersionPermissionRequest) error {
	l, err := resolveLayerVersion(c, in.LayerName, in.VersionNumber)
	if err != nil {
		return err
	}
	return s.store.Update(c, func(tx *store.Tx) error {
		doc, err := getLayerVersion(tx, l)
		if notFound(err) {
			return noLayerVersion(l)
		}
		if err != nil {
			return err
		}
		if err := checkRevision(in.RevisionId, &doc.PolicyRevision, "GetLayerPolicy"); err != nil {
			return err
		}
		if doc.Policy == nil || !doc.Policy.remove(str(in.StatementId)) {
			return api.NewResourceNotFoundException(fmt.Sprintf("Statement %s is not found in resource policy.", str(in.StatementId)))
		}
		if doc.PolicyRevision = s.newID(); len(doc.Policy.Statement) == 0 {
			doc.Policy = nil
		}
		return layerVers.Put(tx, l.scope, doc, l.name, versionID(l.version))
	})
}

// GetLayerVersionPolicy shows the policy of a layer version.
func (s *Service) GetLayerVersionPolicy(c *awswire.Call, in *api.GetLayerVersionPolicyRequest) (*api.GetLayerVersionPolicyResponse, error) {
	l, err := resolveLayerVersion(c, in.LayerName, in.VersionNumber)
	if err != nil {
		return nil, err
	}
	return view(s, c, func(tx *store.Tx) (*api.GetLayerVersionPolicyResponse, error) {
		doc, err := getLayerVersion(tx, l)
		if notFound(err) {
			return nil, noLayerVersion(l)
		}
		if err != nil {
			return nil, err
		}
		if doc.Policy == nil {
			return nil, api.NewResourceNotFoundException("No policy is associated with the given resource.")
		}
		text, err := doc.Policy.text()
		return &api.GetLayerVersionPolicyResponse{Policy: &text, RevisionId: &doc.PolicyRevision}, err
	})
}

func noLayerVersion(l layerRef) *awswire.Error {
	return api.NewResourceNotFoundException(fmt.Sprintf("Layer version %s does not exist.", l.arn()))
}
