package compile

import (
	"net/url"
	"strings"
	"sync"
	"sync/atomic"

	"gatehouse/internal/plan"
)

// maxVaried is how many functions one integration keeps calls of. Others are
// called just as well, each call made anew.
const maxVaried = 256

// A variedFunction calls the function that its URI comes to with what is mapped
// to the variables in it.
type variedFunction struct {
	// literals are the text before, between and behind the variables.
	literals []string
	call     func(functionRef) (plan.Integration, error)
	kept     atomic.Int64
	calls    sync.Map // of plan.Integration by ARN and qualifier
}

// splitVariables returns the text around the variables of a URI, and their names.
func splitVariables(uri string) (literals, names []string) {
	for {
		before, after, opened := strings.Cut(uri, "{")
		name, rest, closed := strings.Cut(after, "}")
		if !opened || !closed {
			return append(literals, uri), names
		}
		literals, names, uri = append(literals, before), append(names, name), rest
	}
}

// Integrate calls the function. What a variable holds can't be more than its part
// of the name: the whole is taken apart as any URI is.
func (v *variedFunction) Integrate(x *plan.Exchange) error {
	var uri strings.Builder
	for i, literal := range v.literals {
		uri.WriteString(literal)
		if i == len(v.literals)-1 || i >= len(x.Mapped.URIParams) {
			continue
		}
		value, err := url.PathUnescape(x.Mapped.URIParams[i])
		if err != nil || strings.ContainsAny(value, ":/") {
			return misconfigured("Invalid function: a variable holds " + x.Mapped.URIParams[i]).Integrate(x)
		}
		uri.WriteString(value)
	}
	f, err := parseFunction(uri.String())
	if err != nil {
		return misconfigured("Invalid function: " + err.Error()).Integrate(x)
	}
	key := f.ARN + ":" + f.Qualifier
	if call, ok := v.calls.Load(key); ok {
		return call.(plan.Integration).Integrate(x)
	}
	call, err := v.call(f)
	if err != nil {
		return misconfigured("Invalid function: " + err.Error()).Integrate(x)
	}
	if v.kept.Add(1) <= maxVaried {
		v.calls.Store(key, call)
	}
	return call.Integrate(x)
}
