package awswire

import (
	"fmt"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// A route is the operation a request was placed at. The zero route, with a
// protocol guessed, is enough to write an error.
type route struct {
	service   *Service
	operation *Operation
	index     int
	proto     Protocol
	// labels are the decoded path labels by name.
	labels map[string]string
	// literals are the query keys the path template fixes.
	literals []string
}

func (r *route) protocol() Protocol { return r.proto }

func (r *route) serviceName() string {
	if r.service == nil {
		return ""
	}
	return r.service.Name
}

func (r *route) operationName() string {
	if r.operation == nil {
		return ""
	}
	return r.operation.Name
}

// path is the operation's own path with the labels in it, whatever the request
// looked like; see Action.
func (r *route) path() string {
	if r.proto != RestJSON1 && r.proto != RestXML {
		return ""
	}
	template, _, _ := strings.Cut(r.operation.Path, "?")
	var b strings.Builder
	for _, text := range splitPath(template) {
		b.WriteByte('/')
		name, label := strings.CutPrefix(text, "{")
		if !label {
			b.WriteString(text)
			continue
		}
		b.WriteString(labelEscapes.Replace(r.labels[strings.TrimRight(name, "+}")]))
	}
	if b.Len() == 0 {
		return "/"
	}
	return b.String()
}

// labelEscapes keeps a label in one piece.
var labelEscapes = strings.NewReplacer("%", "%25", "/", "%2F", ":", "%3A")

// A router places requests.
type router struct {
	services []*Service
	bySigner map[string][]*Service
	byTarget map[string]*Service
	// actions finds an awsQuery operation by name.
	actions map[string][]place
	// rest holds the REST operations by method.
	rest map[string][]pattern
}

type place struct {
	service *Service
	index   int
}

// A pattern is a compiled path template.
type pattern struct {
	place
	segments []segment
	literals map[string]string
}

type segment struct {
	text          string
	label, greedy bool
}

func newRouter(services []*Service) *router {
	t := &router{services: services, bySigner: map[string][]*Service{}, byTarget: map[string]*Service{},
		actions: map[string][]place{}, rest: map[string][]pattern{}}
	for _, s := range services {
		if len(s.Handlers) != len(s.Operations) {
			panic(fmt.Sprintf("awswire: %s has %d handlers for %d operations", s.Name, len(s.Handlers), len(s.Operations)))
		}
		t.bySigner[s.SigningName] = append(t.bySigner[s.SigningName], s)
		for _, p := range s.Protocols {
			if p == AWSJSON10 || p == AWSJSON11 {
				t.byTarget[s.TargetPrefix] = s
			}
		}
		for i := range s.Operations {
			op := &s.Operations[i]
			if slices.Contains(s.Protocols, AWSQuery) {
				t.actions[op.Name] = append(t.actions[op.Name], place{s, i})
			}
			if op.Path != "" {
				t.rest[op.Method] = append(t.rest[op.Method], compilePattern(place{s, i}, op.Path))
			}
		}
	}
	return t
}

func compilePattern(at place, template string) pattern {
	p := pattern{place: at}
	path, query, _ := strings.Cut(template, "?")
	for _, text := range splitPath(path) {
		if name, ok := strings.CutPrefix(text, "{"); ok {
			name = strings.TrimSuffix(name, "}")
			bare := strings.TrimSuffix(name, "+")
			p.segments = append(p.segments, segment{text: bare, label: true, greedy: bare != name})
			continue
		}
		p.segments = append(p.segments, segment{text: text})
	}
	if query != "" {
		p.literals = map[string]string{}
		for pair := range strings.SplitSeq(query, "&") {
			key, value, _ := strings.Cut(pair, "=")
			p.literals[key] = value
		}
	}
	return p
}

// splitPath cuts a raw path into segments; a trailing slash makes none.
func splitPath(path string) []string {
	path = strings.TrimSuffix(strings.TrimPrefix(path, "/"), "/")
	if path == "" {
		return nil
	}
	return strings.Split(path, "/")
}

// route places a request: by its credential scope first, then by target,
// action or path.
func (t *router) route(r *request) (route, error) {
	candidates := t.services
	if r.signature != nil {
		candidates = t.bySigner[r.signature.Scope.Service]
		if candidates == nil {
			return t.guess(r), NotImplemented(shorten(r.signature.Scope.Service), t.operationName(r))
		}
	}
	switch {
	case r.Header.Get("X-Amz-Target") != "":
		return t.routeTarget(r, candidates)
	case t.speaksQuery(candidates) && isForm(r):
		return t.routeAction(r, candidates)
	}
	return t.routePath(r, candidates)
}

func (t *router) routeTarget(r *request, candidates []*Service) (route, error) {
	guess := t.guess(r)
	prefix, name := cutTarget(r.Header.Get("X-Amz-Target"))
	s := t.byTarget[prefix]
	if s == nil || !slices.Contains(candidates, s) {
		return guess, unknownOperation(http.StatusBadRequest, "")
	}
	guess.service = s
	i := slices.IndexFunc(s.Operations, func(op Operation) bool { return op.Name == name })
	if i < 0 {
		return guess, unknownOperation(http.StatusBadRequest, "")
	}
	if r.Method != http.MethodPost {
		return guess, unknownOperation(http.StatusNotFound, "")
	}
	guess.operation, guess.index = &s.Operations[i], i
	return guess, nil
}

// cutTarget parts "Prefix.Operation"; a prefix may itself hold dots.
func cutTarget(target string) (prefix, name string) {
	i := strings.LastIndexByte(target, '.')
	if i < 0 {
		return target, ""
	}
	return target[:i], target[i+1:]
}

func (t *router) routeAction(r *request, candidates []*Service) (route, error) {
	guess := t.guess(r)
	values, err := url.ParseQuery(r.query)
	if err == nil && r.Method == http.MethodPost {
		var posted url.Values
		if posted, err = url.ParseQuery(string(r.body)); err == nil {
			for key, list := range posted {
				values[key] = append(values[key], list...)
			}
		}
	}
	if err != nil {
		return guess, &Error{Code: "MalformedQueryString", Status: http.StatusBadRequest, Message: "the query parameters are not well encoded"}
	}
	action := values.Get("Action")
	if action == "" {
		return guess, &Error{Code: "MissingAction", Status: http.StatusBadRequest, Message: "the request names no Action"}
	}
	version := values.Get("Version")
	for _, p := range t.actions[action] {
		if !slices.Contains(candidates, p.service) {
			continue
		}
		guess.service = p.service
		if version != "" && version != p.service.APIVersion {
			continue
		}
		if r.form, err = parseForm(values); err != nil {
			return guess, err
		}
		guess.operation, guess.index = &p.service.Operations[p.index], p.index
		return guess, nil
	}
	return guess, &Error{Code: "InvalidAction", Status: http.StatusBadRequest,
		Message: "Could not find operation " + shorten(action) + " for version " + shorten(version)}
}

func (t *router) routePath(r *request, candidates []*Service) (route, error) {
	path := r.path
	// A client's endpoint for @connections ends in the stage, which stands first.
	for _, at := range [...]string{"/@connections/", "/%40connections/"} {
		if i := strings.Index(path, at); i > 0 {
			r.call.PathPrefix, path = path[:i], path[i:]
			break
		}
	}
	segments := splitPath(path)
	query, err := url.ParseQuery(r.query)
	if err != nil {
		query = url.Values{}
	}
	best, bestScore := route{}, -1
	for i := range t.rest[r.Method] {
		p := &t.rest[r.Method][i]
		if !slices.Contains(candidates, p.service) {
			continue
		}
		labels, score := p.match(segments, query)
		if score <= bestScore {
			continue
		}
		bestScore = score
		best = route{service: p.service, operation: &p.service.Operations[p.index], index: p.index, proto: p.service.Protocols[0], labels: labels}
		for key := range p.literals {
			best.literals = append(best.literals, key)
		}
	}
	if bestScore < 0 {
		if r.signature == nil {
			return t.guess(r), missingToken(r)
		}
		return t.guess(r), unknownOperation(http.StatusNotFound, "no operation of "+shorten(r.signature.Scope.Service)+" answers "+r.Method+" "+shorten(r.path))
	}
	return best, nil
}

// match returns the labels and how specific the match is, or -1.
func (p *pattern) match(path []string, query url.Values) (map[string]string, int) {
	score := 0
	for key, value := range p.literals {
		if query.Get(key) != value {
			return nil, -1
		}
		score += 10
	}
	labels := map[string]string{}
	for i, seg := range p.segments {
		if i >= len(path) {
			return nil, -1
		}
		last := i == len(p.segments)-1
		text := path[i]
		switch {
		case !seg.label:
			if decoded, err := url.PathUnescape(text); err != nil || decoded != seg.text {
				return nil, -1
			}
			score += 2
			continue
		case seg.greedy || last && len(path) > i+1 && strings.HasPrefix(text, "arn"):
			// Some clients leave the slashes of an ARN unencoded.
			rest := len(p.segments) - i - 1
			if len(path)-rest <= i {
				return nil, -1
			}
			text = strings.Join(path[i:len(path)-rest], "/")
			path = append(slices.Clone(path[:i+1]), path[len(path)-rest:]...)
		default:
			score++
		}
		decoded, err := url.PathUnescape(text)
		if err != nil || decoded == "" {
			return nil, -1
		}
		labels[seg.text] = decoded
	}
	if len(path) != len(p.segments) {
		return nil, -1
	}
	return labels, score
}

// guess finds the protocol to word an error in for a request that can't be placed.
func (t *router) guess(r *request) route {
	switch {
	case r.Header.Get("X-Amz-Target") != "":
		if strings.Contains(r.Header.Get("Content-Type"), "x-amz-json-1.0") {
			return route{proto: AWSJSON10}
		}
		return route{proto: AWSJSON11}
	case isForm(r):
		g := route{proto: AWSQuery}
		if r.signature != nil {
			if list := t.bySigner[r.signature.Scope.Service]; len(list) == 1 {
				g.service = list[0]
			}
		}
		return g
	}
	if r.signature != nil {
		if list := t.bySigner[r.signature.Scope.Service]; len(list) == 1 && list[0].Protocols[0] == RestXML {
			return route{proto: RestXML, service: list[0]}
		}
	}
	return route{proto: RestJSON1}
}

// operationName is what a request for an unknown service asked for.
func (t *router) operationName(r *request) string {
	if _, name := cutTarget(r.Header.Get("X-Amz-Target")); name != "" {
		return shorten(name)
	}
	for _, text := range []string{r.query, string(r.body)} {
		if len(text) > maxFormBytes || !strings.Contains(text, "Action=") {
			continue
		}
		if values, err := url.ParseQuery(text); err == nil && values.Get("Action") != "" {
			return shorten(values.Get("Action"))
		}
	}
	return r.Method + " " + shorten(r.path)
}

func (t *router) speaksQuery(candidates []*Service) bool {
	return slices.ContainsFunc(candidates, func(s *Service) bool { return slices.Contains(s.Protocols, AWSQuery) })
}

// isForm tells an awsQuery request: a form, or a query that names an action,
// at the root.
func isForm(r *request) bool {
	if len(splitPath(r.path)) > 0 {
		return false
	}
	kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err == nil && kind == "application/x-www-form-urlencoded" {
		return true
	}
	return strings.HasPrefix(r.query, "Action=") || strings.Contains(r.query, "&Action=")
}

func unknownOperation(status int, message string) error {
	return &Error{Code: "UnknownOperationException", Status: status, Message: message}
}
