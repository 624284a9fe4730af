package awswire

import "context"

// An APIStage is the deployed stage of an API that a call is addressed to: that
// of @connections. The zero APIStage is of a call to management itself.
type APIStage struct {
	// Account and Region are those of the API.
	Account, Region string
	APIID           string
	Stage           string
}

// stageKey is the context key of a request's APIStage.
type stageKey struct{}

// WithAPIStage returns the context of a request that was addressed to a stage.
// Whoever found the stage has thereby accepted the request's Host.
func WithAPIStage(ctx context.Context, stage APIStage) context.Context {
	return context.WithValue(ctx, stageKey{}, stage)
}

func apiStageOf(ctx context.Context) APIStage {
	stage, _ := ctx.Value(stageKey{}).(APIStage)
	return stage
}
