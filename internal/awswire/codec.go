package awswire

import (
	"net/http"
	"reflect"
	"slices"
)

// A response is an answer ready to be sent.
type response struct {
	status int
	header http.Header
	body   []byte
	// events, when set, sends the body frame by frame.
	events func(send func(frame []byte) error) error
}

// decode fills in, a pointer to the operation's input, from the request.
func decode(r *request, in any) error {
	v := reflect.ValueOf(in).Elem()
	st := &r.route.service.Structures[r.route.operation.Input]
	switch r.route.proto {
	case AWSQuery:
		d := formDecoder{r.route.service.Model}
		return d.structure(st, v, r.form.root)
	case AWSJSON10, AWSJSON11:
		return decodeJSONBody(r.route.service.Model, st, v, r.body)
	}
	return decodeREST(r, st, v)
}

// encode makes the response of an operation. out is nil or a pointer to the
// operation's output.
func encode(r *request, out any) (response, error) {
	op := r.route.operation
	var v reflect.Value
	var st *Structure
	if op.Output >= 0 {
		st = &r.route.service.Structures[op.Output]
		if out != nil {
			v = reflect.ValueOf(out).Elem()
		}
	}
	switch r.route.proto {
	case AWSQuery:
		return encodeQuery(r, st, v), nil
	case AWSJSON10, AWSJSON11:
		return encodeAWSJSON(r, st, v)
	}
	return encodeREST(r, st, v)
}

// encodeError makes the response of a failure.
func encodeError(r *request, e *Error) response {
	if e.Status == 0 {
		e = &Error{Code: e.Code, QueryCode: e.QueryCode, Status: 400, Server: e.Server, Message: e.Message, MessageMember: e.MessageMember, Members: e.Members}
	}
	switch r.route.proto {
	case AWSQuery, RestXML:
		return encodeQueryError(r, e)
	case AWSJSON10, AWSJSON11:
		return encodeAWSJSONError(r, e)
	}
	return encodeRESTError(e)
}

// fault is "Sender" or "Receiver".
func (e *Error) fault() string {
	if e.Server || e.Status >= 500 {
		return "Receiver"
	}
	return "Sender"
}

// queryCode is the code under awsQuery.
func (e *Error) queryCode() string {
	if e.QueryCode != "" {
		return e.QueryCode
	}
	return e.Code
}

// sortedMembers lists the names of an error's further members.
func (e *Error) sortedMembers() []string {
	names := make([]string, 0, len(e.Members))
	for name := range e.Members {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}
