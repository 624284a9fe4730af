package openapi

import (
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"strings"

	"gatehouse/internal/awsapi/apigatewayv2"
	"gatehouse/internal/openapi/tree"
)

// What Options.BasePath can be.
const (
	BasePathIgnore  = "ignore"
	BasePathPrepend = "prepend"
	BasePathSplit   = "split"
)

// Options say how a document is read.
type Options struct {
	// BasePath tells what becomes of the path of the first server's URL: it is
	// ignored (also when empty), prepended to every path, or prepended without
	// its first part.
	BasePath string
	// Partition, Region and Account stand for the variables ${AWS::Partition},
	// ${AWS::Region} and ${AWS::AccountId}.
	Partition, Region, Account string
}

// Read reads a document in JSON or YAML. An error is worded as AWS answers it;
// the document is then of no use.
func Read(document string, o Options) (*Document, error) {
	root, err := tree.Parse(document, strings.NewReplacer("${AWS::Partition}", o.Partition, "${AWS::Region}", o.Region, "${AWS::AccountId}", o.Account))
	if err != nil {
		// UNVERIFIED: what follows AWS's first sentence.
		return nil, fmt.Errorf("Unable to build importer with provided input. Unable to parse the document: %w", err) //nolint:staticcheck // AWS's words
	}
	if err := checkVersion(root); err != nil {
		return nil, err
	}
	r := &reader{root: root, security: root.Get("security"), schemes: map[string]*scheme{}, shared: map[string]*Integration{}, repeated: map[string]*Integration{}}
	r.survey(root, rootKeys, "openapi", "")
	r.about(root.Get("info"))
	r.servers(root.Get("servers"), o.BasePath)
	r.tags(root.Get("tags"))
	r.cors(root.Get(corsKey))
	r.components(root.Get("components"))
	r.paths(root.Get("paths"))
	r.references()
	if r.full() {
		return nil, errors.New("Errors found during import:\n\tThere is too much to say about the document") //nolint:staticcheck // AWS's words
	}
	if len(r.problems) > 0 {
		return nil, errors.New("Errors found during import:\n\t" + strings.Join(r.problems, "\n\t")) //nolint:staticcheck // AWS's words
	}
	r.doc.Info, r.doc.Warnings = r.infos, r.warnings
	return &r.doc, nil
}

// checkVersion refuses what isn't OpenAPI 3.0.
func checkVersion(root *tree.Node) error {
	const undetermined = "Unable to build importer with provided input. Unable to determine OAS version"
	version, ok := root.Get("openapi").Str()
	if !ok {
		return errors.New(undetermined)
	}
	if version != "3.0" && !strings.HasPrefix(version, "3.0.") {
		return fmt.Errorf(undetermined+" from '%s'", version)
	}
	return nil
}

// A reader turns a parsed document into a Document.
type reader struct {
	notebook
	doc Document
	// root is the document, security its member of that name.
	root, security *tree.Node
	// basePath is what every path is prefixed with, as in "/v1", or "".
	basePath string
	schemes  map[string]*scheme
	// shared are the integrations among the components, by name; repeated those
	// in operations that say which one they are, by id.
	shared, repeated map[string]*Integration
	// parameters are the names of the path parameters among the components, by
	// the component's name.
	parameters map[string]string
}

// wrongType notes the error that a value isn't of the type it must be.
func (r *reader) wrongType(want string, attribute ...string) {
	r.failIssue(append(attribute, " is not of type `", want, "`")...)
}

// is tells whether a value is of a type, and notes the error when it is of
// another; one that isn't there, or null, is no error.
func (r *reader) is(n *tree.Node, attribute string, want tree.Kind) bool {
	if n == nil || n.Kind == tree.Null {
		return false
	}
	if n.Kind != want {
		r.wrongType(want.String(), attribute)
		return false
	}
	return true
}

// string returns a member that is any scalar, nil when it isn't there.
func (r *reader) string(n *tree.Node, key, where string) *string {
	m := n.Get(key)
	if m == nil || m.Kind == tree.Null {
		return nil
	}
	s, ok := m.Str()
	if !ok {
		r.wrongType("string", where, ".", key)
		return nil
	}
	return &s
}

func (r *reader) bool(n *tree.Node, key, where string) *bool {
	s := r.string(n, key, where)
	if s == nil {
		return nil
	}
	b, err := strconv.ParseBool(*s)
	if err != nil {
		r.wrongType("boolean", where, ".", key)
		return nil
	}
	return &b
}

func (r *reader) int(n *tree.Node, key, where string) *int32 {
	s := r.string(n, key, where)
	if s == nil {
		return nil
	}
	i, err := strconv.ParseInt(*s, 10, 32)
	if err != nil {
		r.wrongType("integer", where, ".", key)
		return nil
	}
	return new(int32(i))
}

func (r *reader) strings(n *tree.Node, key, where string) []string {
	m := n.Get(key)
	if m == nil || m.Kind == tree.Null {
		return nil
	}
	all, ok := m.Strings()
	if !ok {
		r.wrongType("array", where, ".", key)
	}
	return all
}

// about reads the document's info.
func (r *reader) about(n *tree.Node) {
	if n == nil {
		r.parseIssue("info is missing")
		return
	}
	if !r.is(n, "info", tree.Object) {
		return
	}
	r.survey(n, infoKeys, "info", "info")
	api := &r.doc.API
	api.Name, api.Description, api.Version = r.string(n, "title", "info"), r.string(n, "description", "info"), r.string(n, "version", "info")
	if api.Name == nil {
		r.parseIssue("info.title is missing")
	}
	if api.Version == nil {
		r.parseIssue("info.version is missing")
	}
}

// servers takes the base path from the first server, and from any whether the
// API's own endpoint is closed.
func (r *reader) servers(n *tree.Node, use string) {
	if !r.is(n, "servers", tree.List) {
		return
	}
	for i := range n.Members {
		server := &n.Members[i].Node
		if !r.is(server, "servers", tree.Object) {
			continue
		}
		where := "servers." + endpointKey
		if configuration := server.Get(endpointKey); r.is(configuration, where, tree.Object) {
			if closed := r.bool(configuration, "disableExecuteApiEndpoint", where); closed != nil && r.doc.API.DisableExecuteApiEndpoint == nil {
				r.doc.API.DisableExecuteApiEndpoint = closed
			}
		}
	}
	if len(n.Members) > 0 && (use == BasePathPrepend || use == BasePathSplit) {
		r.prefix(&n.Members[0].Node, use == BasePathSplit)
	}
}

// maxBasePath is the length of the longest prefix that paths can be given, and
// of the texts it is made of.
const maxBasePath = 512

// prefix takes the path of a server's URL, in which variables have their
// defaults, as a prefix of all paths; split takes its first part away.
func (r *reader) prefix(server *tree.Node, split bool) {
	address, _ := server.Get("url").Str()
	long := len(address) > maxBasePath
	if variables := server.Get("variables"); variables != nil && !long {
		var defaults []string
		for i := range variables.Members {
			value, _ := variables.Members[i].Get("default").Str()
			long = long || len(value) > maxBasePath
			defaults = append(defaults, "{"+variables.Members[i].Key+"}", value)
		}
		if !long {
			address = strings.NewReplacer(defaults...).Replace(address)
		}
	}
	u, err := url.Parse(address)
	if long || err != nil || len(u.Path) > maxBasePath {
		// UNVERIFIED: the words.
		r.failIssue("servers.url has no usable base path")
		return
	}
	parts := strings.FieldsFunc(u.Path, func(c rune) bool { return c == '/' })
	if split && len(parts) > 0 {
		parts = parts[1:]
	}
	if len(parts) > 0 {
		r.basePath = "/" + strings.Join(parts, "/")
	}
}

// tags reads AWS's tags, which are those of the document.
func (r *reader) tags(n *tree.Node) {
	if !r.is(n, "tags", tree.List) {
		return
	}
	r.doc.API.Tags = make(map[string]string, len(n.Members))
	for i := range n.Members {
		tag := &n.Members[i].Node
		if !r.is(tag, "tags", tree.Object) {
			continue
		}
		name, value := r.string(tag, "name", "tags"), r.string(tag, tagValueKey, "tags")
		if name == nil {
			r.parseIssue("tags.name is missing")
			continue
		}
		r.doc.API.Tags[*name] = ""
		if value != nil {
			r.doc.API.Tags[*name] = *value
		}
	}
}

func (r *reader) cors(n *tree.Node) {
	if !r.is(n, corsKey, tree.Object) {
		return
	}
	r.doc.API.CorsConfiguration = &apigatewayv2.Cors{
		AllowOrigins:     r.strings(n, "allowOrigins", corsKey),
		AllowMethods:     r.strings(n, "allowMethods", corsKey),
		AllowHeaders:     r.strings(n, "allowHeaders", corsKey),
		ExposeHeaders:    r.strings(n, "exposeHeaders", corsKey),
		MaxAge:           r.int(n, "maxAge", corsKey),
		AllowCredentials: r.bool(n, "allowCredentials", corsKey),
	}
}

// components reads the security schemes and the integrations that operations
// share.
func (r *reader) components(n *tree.Node) {
	if !r.is(n, "components", tree.Object) {
		return
	}
	r.survey(n, componentKeys, "components", "components")
	if schemes := n.Get("securitySchemes"); r.is(schemes, "components.securitySchemes", tree.Object) {
		for i := range schemes.Members {
			r.scheme(schemes.Members[i].Key, &schemes.Members[i].Node)
		}
	}
	if shared := n.Get(integrationsKey); r.is(shared, "components."+integrationsKey, tree.Object) {
		for i := range shared.Members {
			m := &shared.Members[i]
			where := "components." + integrationsKey + "." + m.Key
			if !r.is(&m.Node, where, tree.Object) {
				continue
			}
			integration := &Integration{Name: m.Key}
			if id, ok := strings.CutPrefix(m.Key, unusedPrefix); ok {
				integration.ExportedID = id
			}
			r.integration(integration, &m.Node, where)
			r.shared[m.Key] = integration
			r.doc.Integrations = append(r.doc.Integrations, integration)
		}
	}
	r.parameters = map[string]string{}
	if parameters := n.Get("parameters"); parameters != nil {
		for i := range parameters.Members {
			if name, ok := pathParameter(&parameters.Members[i].Node); ok {
				r.parameters[parameters.Members[i].Key] = name
			}
		}
	}
}
