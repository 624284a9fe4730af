package lambdaevent

import (
	"errors"
	"fmt"

	"gatehouse/internal/plan"
)

// RESTReply turns the result of a function behind an AWS_PROXY integration of a
// REST API into the response of x: an object of statusCode, headers,
// multiValueHeaders, body and isBase64Encoded, each of which may be missing and
// beside which nothing else may be. Headers are as the function names them,
// those the gateway renames or keeps to itself included.
//
// It uses the result up as Reply20 does. The error is ErrNotBase64 when a body
// that has to be decoded can't be, which AWS calls a fault of the API's
// configuration and not of the function; with any error the response is empty.
func RESTReply(result []byte, x *plan.Exchange) error {
	var r restReply
	if err := r.parse(result, r.member); err != nil {
		return err
	}
	if r.value[0] != '{' {
		return errors.New("the result isn't an object")
	}
	r.decode = x.AcceptsBinary()
	return fill(&x.Response, r.setStatus, r.setHeaders, r.setBody)
}

// A restReply is a reply of a function behind a REST API. decode tells that
// encoded bodies are decoded.
type restReply struct {
	reply
	decode bool
}

// member is reply's for the members that REST APIs know.
func (r *restReply) member(name, value []byte) error {
	switch text := plain(name); text {
	case "statusCode", "headers", "multiValueHeaders", "body", "isBase64Encoded":
		return r.reply.member(name, value)
	default:
		return fmt.Errorf("the result has a member %.100q, which isn't known", text)
	}
}

// setStatus accepts an integer, also as a string, and takes 200 for none.
func (r *restReply) setStatus(resp *plan.Response) error {
	if r.status == nil {
		resp.Status = 200
		return nil
	}
	return r.reply.setStatus(resp)
}

// setHeaders adds the lines of multiValueHeaders, then those of headers. A name
// that is in both is written as the former has it, and the same value is sent
// once.
func (r *restReply) setHeaders(resp *plan.Response) error {
	if err := r.setLines(resp); err != nil {
		return err
	}
	if _, ok := resp.Headers.Lookup("content-type"); !ok {
		resp.Add("Content-Type", applicationJSON)
	}
	return nil
}

// setLines is setHeaders without a Content-Type that the function didn't name.
func (r *restReply) setLines(resp *plan.Response) error {
	before := len(resp.Headers)
	if err := r.addValues(resp); err != nil {
		return err
	}
	lists := resp.Headers[before:]
	return eachHeader("headers", r.headers, func(name string, value []byte) error {
		text, ok, err := headerText(name, value)
		if err != nil || !ok {
			return err
		}
		if err := checkHeader(name, text); err != nil {
			return err
		}
		for _, h := range lists {
			if !plan.EqualFold(h.Name, name) {
				continue
			}
			if name = h.Name; h.Value == text {
				return nil
			}
		}
		resp.Add(name, text)
		return nil
	})
}

// addValues adds the lines of multiValueHeaders.
func (r *restReply) addValues(resp *plan.Response) error {
	return eachHeader("multiValueHeaders", r.multi, func(name string, value []byte) error {
		if value[0] == 'n' {
			return nil
		}
		if value[0] != '[' {
			return fmt.Errorf("multiValueHeaders has %.100q, which isn't a list", name)
		}
		s := scanner{data: value}
		return s.elements(func(value []byte) error {
			text, ok, err := headerText(name, value)
			if err != nil || !ok {
				return err
			}
			if err := checkHeader(name, text); err != nil {
				return err
			}
			resp.Add(name, text)
			return nil
		})
	})
}

// setBody sets the body. Without a client that accepts binary media types
// isBase64Encoded means nothing.
func (r *restReply) setBody(resp *plan.Response) error {
	encoded, err := r.isEncoded()
	if err != nil || r.body == nil {
		return err
	}
	switch r.body[0] {
	case '"':
		resp.Body = unquote(r.body)
	case '{', '[':
		return errors.New("body isn't a string")
	default:
		// UNVERIFIED: that numbers and booleans are written out, as they are in
		// headers.
		resp.Body = r.body
	}
	if !encoded || !r.decode {
		return nil
	}
	return decodeBody(resp)
}

// RESTStreamHead turns the metadata that a streamed reply begins with into the
// head of the response of x: an object of statusCode, headers,
// multiValueHeaders and cookies. It uses the metadata up; with an error the
// response is empty.
// UNVERIFIED: that other members are let pass, unlike those of a whole reply.
func RESTStreamHead(metadata []byte, x *plan.Exchange) error {
	var r restReply
	if err := r.parse(metadata, r.reply.member); err != nil {
		return err
	}
	if r.value[0] != '{' {
		return errors.New("the metadata isn't an object")
	}
	return fill(&x.Response, r.setStatus, r.setCookies, r.setHeaders)
}
