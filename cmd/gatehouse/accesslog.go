package main

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"gatehouse/internal/compile"
	"gatehouse/internal/contextvar"
	"gatehouse/internal/control/logs"
	"gatehouse/internal/observe"
	"gatehouse/internal/plan"
	"gatehouse/internal/store"
)

// A groupSink carries a log of one stage into its log group.
type groupSink struct {
	groups *logGroups
	scope  store.Scope
	writer *logs.Writer // made by the first line; one goroutine appends
}

// Append implements observe.Sink.
func (s *groupSink) Append(group, stream string, at time.Time, message []byte) error {
	if s.writer == nil {
		s.writer = s.groups.service.Load().Writer(s.scope, group)
	}
	if !s.writer.Append(stream, at, string(message)) {
		return fmt.Errorf("log group %s took no line", group)
	}
	return nil
}

// readyFormats are the operator's formats by name: those that API Gateway
// offers ready-made, with what tells APIs apart and what an integration took.
var readyFormats = map[string]string{
	"clf": `$context.identity.sourceIp - - [$context.requestTime] "$context.httpMethod $context.path $context.protocol" ` +
		`$context.status $context.responseLength $context.requestId $context.apiId $context.responseLatency $context.integrationErrorMessage`,
	"json": `{"requestId":"$context.requestId","ip":"$context.identity.sourceIp","requestTime":"$context.requestTime",` +
		`"apiId":"$context.apiId","stage":"$context.stage","httpMethod":"$context.httpMethod","path":"$context.path",` +
		`"routeKey":"$context.routeKey","protocol":"$context.protocol","status":"$context.status","responseLength":"$context.responseLength",` +
		`"responseLatency":"$context.responseLatency","integrationLatency":"$context.integrationLatency",` +
		`"userAgent":"$context.identity.userAgent","error":"$context.integrationErrorMessage"}`,
	"xml": `<request id="$context.requestId"><ip>$context.identity.sourceIp</ip><requestTime>$context.requestTime</requestTime>` +
		`<apiId>$context.apiId</apiId><stage>$context.stage</stage><httpMethod>$context.httpMethod</httpMethod><routeKey>$context.routeKey</routeKey>` +
		`<status>$context.status</status><protocol>$context.protocol</protocol><responseLength>$context.responseLength</responseLength>` +
		`<responseLatency>$context.responseLatency</responseLatency></request>`,
	"csv": `$context.identity.sourceIp,$context.requestTime,$context.apiId,$context.stage,$context.httpMethod,$context.routeKey,` +
		`$context.protocol,$context.status,$context.responseLength,$context.responseLatency,$context.requestId`,
}

// readySocketFormats are the same for WebSocket APIs, whose events have no path.
var readySocketFormats = map[string]string{
	"clf": `$context.identity.sourceIp - - [$context.requestTime] "$context.eventType $context.routeKey $context.connectionId" ` +
		`$context.status $context.requestId $context.apiId $context.integrationLatency $context.integration.error`,
	"json": `{"requestId":"$context.requestId","ip":"$context.identity.sourceIp","requestTime":"$context.requestTime",` +
		`"apiId":"$context.apiId","stage":"$context.stage","eventType":"$context.eventType","routeKey":"$context.routeKey",` +
		`"connectionId":"$context.connectionId","status":"$context.status","integrationLatency":"$context.integrationLatency",` +
		`"userAgent":"$context.identity.userAgent","error":"$context.integration.error"}`,
	"xml": `<request id="$context.requestId"><ip>$context.identity.sourceIp</ip><requestTime>$context.requestTime</requestTime>` +
		`<apiId>$context.apiId</apiId><stage>$context.stage</stage><eventType>$context.eventType</eventType><routeKey>$context.routeKey</routeKey>` +
		`<connectionId>$context.connectionId</connectionId><status>$context.status</status></request>`,
	"csv": `$context.identity.sourceIp,$context.requestTime,$context.apiId,$context.stage,$context.eventType,$context.routeKey,` +
		`$context.connectionId,$context.status,$context.requestId`,
}

// formats are the format of the operator's log for each kind of API.
type formats struct{ http, rest, socket *observe.Format }

// operatorFormats parse the format of the operator's log: the name of a
// ready-made one, or $context variables.
func operatorFormats(format string) (f formats, err error) {
	restFormat, socketFormat := format, format
	if ready, ok := readyFormats[format]; ok {
		socketFormat = readySocketFormats[format]
		// A method of a REST API has the path of its resource where a route has
		// its key.
		format, restFormat = ready, strings.ReplaceAll(ready, "routeKey", "resourcePath")
	}
	if f.http, err = observe.ParseFormat(format, contextvar.Lookup); err != nil {
		return formats{}, err
	}
	if f.rest, err = observe.ParseFormat(restFormat, contextvar.LookupREST); err != nil {
		return formats{}, err
	}
	f.socket, err = observe.ParseFormat(socketFormat, contextvar.LookupWebSocket)
	return f, err
}

// accessLogs makes the access logs of stages: what each is configured to log,
// and, if the operator wants it, a line of every request in a file. It makes the
// execution logs of REST APIs, too.
type accessLogs struct {
	writer   *observe.LogWriter
	groups   *logGroups
	operator plan.AccessLog // nil: none
}

// newAccessLogs opens the operator's log: a file, "-" for standard output, ""
// for none.
func newAccessLogs(writer *observe.LogWriter, groups *logGroups, path, lines string) (*accessLogs, io.Closer, error) {
	a := &accessLogs{writer: writer, groups: groups}
	out := os.Stdout
	switch path {
	case "":
		return a, io.NopCloser(nil), nil
	case "-":
	default:
		var err error
		if out, err = os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o640); err != nil {
			return nil, nil, fmt.Errorf("access log: %w", err)
		}
	}
	f, err := operatorFormats(lines)
	if err != nil {
		return nil, nil, err
	}
	sink := observe.NewTextSink(out)
	a.operator = byProtocol{
		http:   writer.AccessLog(f.http, sink, "", ""),
		rest:   writer.AccessLog(f.rest, sink, "", ""),
		socket: writer.AccessLog(f.socket, sink, "", ""),
	}
	if path == "-" {
		return a, io.NopCloser(nil), nil
	}
	return a, out, nil
}

// of is the access log of a stage that configures one.
func (a *accessLogs) of(l compile.AccessLog) (plan.AccessLog, error) {
	sink := &groupSink{groups: a.groups, scope: store.Scope{Account: l.Account, Region: l.Region}}
	own := a.writer.AccessLog(l.Format, sink, l.LogGroup, streamName(l.API, l.Stage))
	if a.operator == nil {
		return own, nil
	}
	return bothLogs{own, a.operator}, nil
}

// execution is the execution log of a REST API's stage, which goes to a group of
// AWS's naming. AWS wants a role for it in the account's settings; this gateway
// writes to its own log groups without.
func (a *accessLogs) execution(api *plan.API, stage string) plan.ExecutionLog {
	sink := &groupSink{groups: a.groups, scope: store.Scope{Account: api.AccountID, Region: api.Region}}
	return a.writer.ExecutionLog(sink, "API-Gateway-Execution-Logs_"+api.ID+"/"+stage, streamName(api.ID, stage))
}

// streamName is the stream of a stage's lines: a digest, as AWS's streams are
// named by one, too.
func streamName(api, stage string) string {
	name := sha256.Sum256([]byte(api + "/" + stage))
	return hex.EncodeToString(name[:16])
}

// byProtocol writes a line in the format of the API's kind.
type byProtocol struct{ http, rest, socket plan.AccessLog }

// Log implements plan.AccessLog.
func (b byProtocol) Log(x *plan.Exchange, latency time.Duration) {
	switch x.Stage.API.Protocol {
	case plan.REST:
		b.rest.Log(x, latency)
	case plan.WebSocket:
		b.socket.Log(x, latency)
	default:
		b.http.Log(x, latency)
	}
}

// bothLogs writes a line to the stage's log and to the operator's.
type bothLogs struct{ stage, operator plan.AccessLog }

// Log implements plan.AccessLog.
func (b bothLogs) Log(x *plan.Exchange, latency time.Duration) {
	b.stage.Log(x, latency)
	b.operator.Log(x, latency)
}
