package rest

import (
	"errors"
	"fmt"
	"strings"

	"gatehouse/internal/awsapi/apigateway"
	"gatehouse/internal/openapi/tree"
)

// MaxBytes is the length of the longest document.
const MaxBytes = 6 << 20

// maxRepeated bounds the values that references, and defaults of the whole
// document, put into operations over and over.
const maxRepeated = 4_000_000

// What Options.BasePath can be.
const (
	BasePathIgnore  = "ignore"
	BasePathPrepend = "prepend"
	BasePathSplit   = "split"
)

// Options say how a document is read.
type Options struct {
	// BasePath tells what becomes of the document's base path: it is ignored
	// (also when empty), prepended to every path, or prepended without its first
	// part.
	BasePath string
	// Partition, Region, Account and URLSuffix stand for the variables
	// ${AWS::Partition}, ${AWS::Region}, ${AWS::AccountId} and ${AWS::URLSuffix}.
	Partition, Region, Account, URLSuffix string
	// NoDocumentation leaves documentation parts out.
	NoDocumentation bool
}

// errInvalid is AWS's answer to what it can't parse, without a word of why.
var errInvalid = errors.New("Invalid OpenAPI input.") //nolint:staticcheck // AWS's words

// errNoImporter is its answer where only the documentation is imported.
var errNoImporter = errors.New("Unable to build importer with provided input.") //nolint:staticcheck // AWS's words

// errTooLong is no answer of AWS's, which is UNVERIFIED.
var errTooLong = fmt.Errorf("%w The document is longer than %d bytes.", errInvalid, MaxBytes) //nolint:staticcheck // AWS's manner

// Read reads a document in JSON or YAML. An error is worded as AWS answers it.
// What is wrong with the document and no error is in the API's Warnings.
func Read(document string, o Options) (*API, error) {
	if len(document) > MaxBytes {
		return nil, errTooLong
	}
	r, err := newReader(document, o)
	if err != nil {
		return nil, errInvalid
	}
	r.about(r.root.Get("info"))
	r.servers()
	r.tags(r.root.Get("tags"))
	r.extensions()
	r.models()
	r.schemes()
	r.paths(r.root.Get("paths"))
	if !o.NoDocumentation {
		r.documentation()
	}
	if err := r.problem(); err != nil {
		return nil, err
	}
	r.lowered()
	r.api.Warnings = r.warnings
	return r.api, nil
}

// ReadDocumentation reads nothing but the documentation parts of a document.
func ReadDocumentation(document string, o Options) (*API, error) {
	if len(document) > MaxBytes {
		return nil, errTooLong
	}
	r, err := newReader(document, o)
	if err != nil {
		return nil, errNoImporter
	}
	r.documentation()
	if err := r.problem(); err != nil {
		return nil, err
	}
	r.api.Warnings = r.warnings
	return r.api, nil
}

// A reader turns a parsed document into an API.
type reader struct {
	notebook
	options Options
	api     *API
	root    *tree.Node
	// swagger tells Swagger 2.0; modern tells OpenAPI 3.1 and later, of which
	// changes counts what was written otherwise.
	swagger, modern bool
	changes         []change
	// basePath is what every path is prefixed with, as in "/v1", or "".
	basePath string
	// parts are the components of the document by section and name.
	parts map[string]map[string]*tree.Node
	// defined are the schemas that are models. made are the names of models that
	// were made for inline schemas, bySchema those by the text of the schema.
	defined  map[string]*tree.Node
	made     map[string]bool
	bySchema map[string]string
	security map[string]*scheme
	// told are warnings that are given once.
	told map[string]bool
	// located are the documentation parts by their place.
	located map[[5]string]int
	// repeated counts what maxRepeated bounds, with the sizes of components that
	// were referred to.
	repeated int
	sizes    map[*tree.Node]int
	// validated are the names of the request validators.
	validated map[string]bool
}

func newReader(document string, o Options) (*reader, error) {
	root, err := tree.Parse(document, strings.NewReplacer("${AWS::Partition}", o.Partition, "${AWS::Region}", o.Region,
		"${AWS::AccountId}", o.Account, "${AWS::URLSuffix}", o.URLSuffix))
	if err != nil {
		return nil, err
	}
	r := &reader{
		options: o, api: &API{}, root: root, parts: map[string]map[string]*tree.Node{},
		defined: map[string]*tree.Node{}, made: map[string]bool{}, bySchema: map[string]string{}, security: map[string]*scheme{}, told: map[string]bool{}, located: map[[5]string]int{}, sizes: map[*tree.Node]int{}, validated: map[string]bool{},
	}
	return r, r.version()
}

// version tells the language of the document.
func (r *reader) version() error {
	if version, ok := r.root.Get("swagger").Str(); ok && (version == "2.0" || version == "2") {
		r.swagger = true
		return nil
	}
	version, _ := r.root.Get("openapi").Str()
	switch {
	case version == "3.0" || strings.HasPrefix(version, "3.0."):
		return nil
	case version == "3.1" || strings.HasPrefix(version, "3.1."):
		r.modern = true
		return nil
	}
	return errInvalid
}

func (r *reader) problem() error {
	if len(r.problems) > 0 || r.full() {
		return errors.New(r.message()) //nolint:staticcheck // AWS's words
	}
	if r.repeated > maxRepeated {
		return errors.New(failed + "The document repeats more than can be imported") //nolint:staticcheck // AWS's manner
	}
	return nil
}

// spend counts what is put into an operation because something refers to it;
// it tells whether there may be more.
func (r *reader) spend(values int) bool {
	r.repeated += values
	return r.repeated <= maxRepeated
}

// warnOnce warns of what would be said of every operation.
func (r *reader) warnOnce(warning string) {
	if !r.told[warning] {
		r.told[warning] = true
		r.warn(warning)
	}
}

// component returns a part of the document that operations refer to, by its
// section as OpenAPI 3 names it.
func (r *reader) component(section, name string) *tree.Node {
	return r.section(section)[name]
}

// section returns the parts of a section by name.
func (r *reader) section(section string) map[string]*tree.Node {
	if known, ok := r.parts[section]; ok {
		return known
	}
	r.parts[section] = map[string]*tree.Node{}
	n := r.sectionNode(section)
	if !r.is(n, tree.Object, r.sectionName(section)) {
		return nil
	}
	for i := range n.Members {
		r.parts[section][n.Members[i].Key] = &n.Members[i].Node
	}
	return r.parts[section]
}

func (r *reader) sectionNode(section string) *tree.Node {
	if r.swagger {
		return r.root.Get(r.sectionName(section))
	}
	return r.root.Get("components").Get(section)
}

// sectionName is where the document has a section.
func (r *reader) sectionName(section string) string {
	if !r.swagger {
		return "components." + section
	}
	switch section {
	case "schemas":
		return "definitions"
	case "securitySchemes":
		return "securityDefinitions"
	}
	return section
}

// maxReferences is how many references may follow each other.
const maxReferences = 16

// follow returns what a value refers to, the value itself when it is no
// reference, nil with a warning when there is no such thing.
func (r *reader) follow(n *tree.Node, section string) *tree.Node {
	for followed := range maxReferences {
		ref, ok := n.Get("$ref").Str()
		if !ok && followed > 0 && !r.spend(r.size(n)) {
			return nil
		}
		if !ok {
			return n
		}
		prefix := "#/" + strings.ReplaceAll(r.sectionName(section), ".", "/") + "/"
		name, local := strings.CutPrefix(ref, prefix)
		next := r.component(section, tree.Unescape(name))
		if !local || next == nil {
			r.unknown(ref)
			return nil
		}
		n = next
	}
	return nil
}

// size is how many values a component has.
func (r *reader) size(n *tree.Node) int {
	size, known := r.sizes[n]
	if !known {
		size = count(n)
		r.sizes[n] = size
	}
	return size
}

func count(n *tree.Node) int {
	values := 1
	for i := range n.Members {
		values += count(&n.Members[i].Node)
	}
	return values
}

// unknown warns of a reference that leads nowhere. The words are reported.
func (r *reader) unknown(ref string) {
	r.warn("Unknown or invalid reference specified by '", ref, "'. Ignoring.")
}

// about reads the document's info.
func (r *reader) about(n *tree.Node) {
	if !r.is(n, tree.Object, "info") {
		return
	}
	r.api.Name = r.string(n, "title", "info")
	r.api.Description = r.string(n, "description", "info")
	r.api.Version = r.string(n, "version", "info")
}

// tags reads the tags of the document that have a value for AWS; the others
// only group operations.
// UNVERIFIED: that these make no tags of the API.
func (r *reader) tags(n *tree.Node) {
	if !r.is(n, tree.List, "tags") {
		return
	}
	for i := range n.Members {
		tag := &n.Members[i].Node
		if !r.is(tag, tree.Object, "tags") {
			continue
		}
		name, value := r.string(tag, "name", "tags"), r.string(tag, tagValueKey, "tags")
		if name == nil || value == nil {
			continue
		}
		if r.api.Tags == nil {
			r.api.Tags = map[string]string{}
		}
		r.api.Tags[*name] = *value
	}
}

// extensions reads what AWS has at the root of a document.
func (r *reader) extensions() {
	root, api := r.root, r.api
	api.ApiKeySource = r.upper(root, apiKeySourceKey, "openapi")
	api.BinaryMediaTypes = r.strings(root, binaryMediaTypesKey, "openapi")
	api.MinimumCompressionSize = r.int(root, compressionKey, "openapi")
	api.SecurityPolicy = r.string(root, securityPolicyKey, "openapi")
	api.EndpointAccessMode = r.upper(root, accessModeKey, "openapi")
	r.endpoint(root.Get(endpointKey), endpointKey)
	if policy := root.Get(policyKey); policy != nil && policy.Kind == tree.Text {
		api.Policy = &policy.Scalar
	} else if r.is(policy, tree.Object, policyKey) {
		api.Policy = new(compact(policy))
	}
	r.validators(root.Get(validatorsKey))
	r.gatewayResponses(root.Get(gatewayResponsesKey))
}

func (r *reader) validators(n *tree.Node) {
	if !r.is(n, tree.Object, validatorsKey) {
		return
	}
	for i := range n.Members {
		m := &n.Members[i]
		where := validatorsKey + "." + m.Key
		if !r.is(&m.Node, tree.Object, where) {
			continue
		}
		r.validated[m.Key] = true
		body, parameters := r.bool(&m.Node, "validateRequestBody", where), r.bool(&m.Node, "validateRequestParameters", where)
		r.api.Validators = append(r.api.Validators, &apigateway.RequestValidator{
			Name: &m.Key, ValidateRequestBody: new(value(body)), ValidateRequestParameters: new(value(parameters)),
		})
	}
}

func (r *reader) gatewayResponses(n *tree.Node) {
	if !r.is(n, tree.Object, gatewayResponsesKey) {
		return
	}
	for i := range n.Members {
		m := &n.Members[i]
		where := gatewayResponsesKey + "." + m.Key
		if !r.is(&m.Node, tree.Object, where) {
			continue
		}
		r.api.GatewayResponses = append(r.api.GatewayResponses, &apigateway.GatewayResponse{
			ResponseType:       &m.Key,
			StatusCode:         r.string(&m.Node, "statusCode", where),
			ResponseParameters: r.texts(m.Get("responseParameters"), where+".responseParameters"),
			ResponseTemplates:  r.texts(m.Get("responseTemplates"), where+".responseTemplates"),
		})
	}
}

// texts reads an object of scalars, nil when it isn't there or empty.
func (r *reader) texts(n *tree.Node, where string) map[string]string {
	if !r.is(n, tree.Object, where) || len(n.Members) == 0 {
		return nil
	}
	all := make(map[string]string, len(n.Members))
	for i := range n.Members {
		s, ok := n.Members[i].Str()
		if !ok {
			r.issue(where, ".", n.Members[i].Key, " is not of type `string`")
		}
		all[n.Members[i].Key] = s
	}
	return all
}
