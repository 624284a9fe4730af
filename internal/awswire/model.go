package awswire

// A Model is one service's shapes and bindings as static tables, written by
// awsgen. Tables refer to each other by index.
type Model struct {
	// Name is the package and coverage name, as in "apigatewayv2".
	Name string
	// ID is AWS's own name, as in "ApiGatewayV2".
	ID string
	// SigningName is the service of the SigV4 credential scope.
	SigningName string
	// Protocols are spoken in order of preference.
	Protocols []Protocol
	// APIVersion, TargetPrefix and XMLNamespace identify the service in
	// awsQuery, awsJson and XML answers.
	APIVersion, TargetPrefix, XMLNamespace string

	Operations []Operation
	Structures []Structure
	Types      []Type
	Enums      [][]string
	Errors     []string

	// Checks is how the service words a refused input.
	Checks CheckStyle
}

// A CheckStyle is how a service refuses an input that breaks its model.
type CheckStyle uint8

// The styles of refusal.
const (
	// ChecksCoral is a ValidationException that names members from the top.
	ChecksCoral CheckStyle = iota
	// ChecksCoralPrefixed names members of the body below the input, as in
	// "createRestApiInput.name", and labels and query parameters from the top.
	ChecksCoralPrefixed
	// ChecksQuery is awsQuery's ValidationError.
	ChecksQuery
	// ChecksBadRequest is a BadRequestException.
	ChecksBadRequest
	// ChecksInvalidParameter is an InvalidParameterException.
	ChecksInvalidParameter
	// ChecksInvalidInput is an InvalidInput.
	ChecksInvalidInput
)

// A Protocol is a wire protocol.
type Protocol uint8

// The wire protocols spoken here.
const (
	RestJSON1 Protocol = iota
	AWSJSON10
	AWSJSON11
	AWSQuery
	RestXML
)

// An Operation is one call and its HTTP binding.
type Operation struct {
	Name string
	// Method, Path and Code bind REST operations; Path may carry literal query
	// parameters and Code is the status of success.
	Method, Path string
	Code         int
	// Input and Output index Structures; -1 is none.
	Input, Output int16
	// Errors index Model.Errors.
	Errors []uint8
	// Unsigned operations are called without credentials.
	Unsigned bool
}

// A Structure is a structure or union. Its members stand in the order of the
// fields of the generated Go struct.
type Structure struct {
	Name    string
	Members []Member
}

// A Member is one member of a structure.
type Member struct {
	// Name is the model's name of the member.
	Name string
	// Wire is the JSON key, XML element, header or query name; empty means Name.
	Wire string
	// Type indexes Model.Types.
	Type uint16
	In   Location
	// Required members must be present in an input.
	Required bool
	// EventPayload is the raw payload of an event of an event stream.
	EventPayload bool
}

// WireName is the member's name on the wire.
func (m *Member) WireName() string {
	if m.Wire != "" {
		return m.Wire
	}
	return m.Name
}

// A Location says where a member travels.
type Location uint8

// The places of a member. On an output, InQuery is the body.
const (
	InBody Location = iota
	InLabel
	InQuery
	InQueryMap
	InHeader
	InPrefixHeaders
	InPayload
	InStatus
)

// A Kind is what a value is.
type Kind uint8

// The kinds of values.
const (
	KindString Kind = iota
	KindInteger
	KindLong
	KindFloat
	KindDouble
	KindBoolean
	KindTimestamp
	KindBlob
	KindDocument
	KindList
	KindMap
	KindStructure
	KindEventStream
)

// A TimeFormat is how a timestamp is written.
type TimeFormat uint8

// The formats of timestamps; TimeDefault is the protocol's own.
const (
	TimeDefault TimeFormat = iota
	TimeDate               // ISO 8601
	TimeHTTP               // the date format of HTTP headers
	TimeEpoch              // seconds, with a fraction
)

// A Type is the type of a member, list element or map value, with its
// constraints.
type Type struct {
	Kind Kind
	// Ref indexes Structures for a structure or event stream, Types for the
	// element of a list or map.
	Ref uint16
	// Key indexes Types for the key of a map.
	Key uint16
	// Enum is one more than the index into Enums; 0 is no enum.
	Enum uint16
	// Format of a timestamp.
	Format TimeFormat
	// Sensitive values never reach a log; AWS's validation texts leave them out too.
	Sensitive bool
	// Sparse lists and maps may hold nulls.
	Sparse bool
	// Flattened lists have no wrapping element.
	Flattened bool
	// HasMin and HasMax tell which of Min and Max apply: to the value of a
	// number, to the length of anything else.
	HasMin, HasMax bool
	Min, Max       float64
	Pattern        string
	// Element is the XML name of a list's element; empty means "member".
	Element string
}
