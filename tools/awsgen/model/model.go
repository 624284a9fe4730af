package model

// A Service is everything known of one AWS service.
type Service struct {
	// Package is the Go package name, as in "apigatewayv2".
	Package string `json:"package"`
	// ID is AWS's own name of the service, as in "ApiGatewayV2".
	ID string `json:"id"`
	// SigningName is the service of the SigV4 credential scope.
	SigningName string `json:"signingName"`
	// Protocols are the wire protocols in order of preference.
	Protocols    []string `json:"protocols"`
	APIVersion   string   `json:"apiVersion"`
	TargetPrefix string   `json:"targetPrefix,omitempty"`
	XMLNamespace string   `json:"xmlNamespace,omitempty"`
	// Checks is how the service words a refused input: "coral",
	// "coralPrefixed", "query", "badRequest", "invalidParameter" or "invalidInput".
	Checks string `json:"checks"`
	// Origin says where the facts come from.
	Origin Origin `json:"origin"`

	Operations []*Operation `json:"operations"`
	Structures []*Structure `json:"structures"`
	Errors     []*Error     `json:"errors"`
	Enums      []*Enum      `json:"enums"`
}

// An Origin names the packages a model was read from.
type Origin struct {
	// Model is the npm package and version of the shapes and bindings.
	Model string `json:"model"`
	// Constraints is the Go module whose service model gave length, range and pattern.
	Constraints string `json:"constraints"`
	// Widths is the Go module that gave integer widths; empty when there is none.
	Widths string `json:"widths,omitempty"`
	// Fetched is the day of reading, as in "2026-11-24".
	Fetched string `json:"fetched"`
	License string `json:"license"`
}

// An Operation is one call and its HTTP binding.
type Operation struct {
	Name   string `json:"name"`
	Method string `json:"method,omitempty"`
	// Path is the template, with literal query parameters if it has any.
	Path string `json:"path,omitempty"`
	// Code is the status of success.
	Code int `json:"code,omitempty"`
	// Input and Output name structures; empty means there is none.
	Input  string `json:"input,omitempty"`
	Output string `json:"output,omitempty"`
	// Errors are the modelled errors by shape name.
	Errors []string `json:"errors,omitempty"`
	// HostPrefix is what clients may put before the host name.
	HostPrefix string `json:"hostPrefix,omitempty"`
	// Unsigned tells that clients call it without credentials.
	Unsigned bool `json:"unsigned,omitempty"`
}

// A Structure is a structure or, with Union, a union shape.
type Structure struct {
	Name    string    `json:"name"`
	Union   bool      `json:"union,omitempty"`
	Members []*Member `json:"members"`
}

// A Member is one member of a structure.
type Member struct {
	Name string `json:"name"`
	// Wire is the JSON key, XML element, header or query name where it isn't Name.
	Wire string `json:"wire,omitempty"`
	// In is where the member travels: "", "label", "query", "header", "queryMap",
	// "prefixHeaders", "payload", "status". On an output "query" means the body.
	In       string `json:"in,omitempty"`
	Required bool   `json:"required,omitempty"`
	// Token marks an idempotency token, which clients fill in.
	Token bool `json:"token,omitempty"`
	// EventPayload marks the payload of an event in an event stream.
	EventPayload bool  `json:"eventPayload,omitempty"`
	Type         *Type `json:"type"`
}

// Kinds of Type.
const (
	String    = "string"
	Integer   = "integer"
	Long      = "long"
	Float     = "float"
	Double    = "double"
	Boolean   = "boolean"
	Timestamp = "timestamp"
	Blob      = "blob"
	Document  = "document"
	List      = "list"
	Map       = "map"
	Struct    = "structure"
	// EventStream is a stream of the events of a union.
	EventStream = "eventStream"
)

// A Type is what a member, list element or map value holds. Lists and maps are
// spelled out in place; structures and enums are named.
type Type struct {
	Kind string `json:"kind"`
	// Ref names the structure of a Struct or EventStream.
	Ref string `json:"ref,omitempty"`
	// Enum names the value set of a String.
	Enum string `json:"enum,omitempty"`
	// Format of a Timestamp: "date-time", "http-date", "epoch-seconds" or "" for
	// the protocol's own.
	Format    string `json:"format,omitempty"`
	Sensitive bool   `json:"sensitive,omitempty"`
	Streaming bool   `json:"streaming,omitempty"`
	// Sparse lists and maps may hold nulls.
	Sparse bool `json:"sparse,omitempty"`
	// Flattened lists have no wrapping element in XML and query.
	Flattened bool `json:"flattened,omitempty"`
	// Min and Max bound the value of a number, the length of anything else.
	Min     *float64 `json:"min,omitempty"`
	Max     *float64 `json:"max,omitempty"`
	Pattern string   `json:"pattern,omitempty"`
	// Element of a List, value of a Map; Key of a Map.
	Element *Type `json:"element,omitempty"`
	Key     *Type `json:"key,omitempty"`
	// ElementName is the XML name of a list's element where it isn't "member".
	ElementName string `json:"elementName,omitempty"`
}

// An Error is a modelled error.
type Error struct {
	Name   string `json:"name"`
	Status int    `json:"status"`
	// QueryCode is the code of awsQuery where it isn't Name.
	QueryCode string `json:"queryCode,omitempty"`
	// QueryStatus is the status under awsQuery where it isn't Status.
	QueryStatus int       `json:"queryStatus,omitempty"`
	Server      bool      `json:"server,omitempty"`
	Members     []*Member `json:"members,omitempty"`
}

// An Enum is a set of string values.
type Enum struct {
	Name string `json:"name"`
	// Values in the model's order, each with the name it has in code.
	Values []EnumValue `json:"values"`
}

// An EnumValue is one value of an Enum.
type EnumValue struct {
	Key   string `json:"key"`
	Value string `json:"value"`
}
