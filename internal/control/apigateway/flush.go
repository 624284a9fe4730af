package apigateway

import (
	"gatehouse/internal/awsapi/apigateway"
	"gatehouse/internal/awswire"
	"gatehouse/internal/store"
)

// Responses are what stages have cached.
type Responses interface {
	// Flush forgets those of a stage.
	Flush(apiID, stage string)
}

// FlushStageCache forgets the responses that a stage has cached. It has when the
// answer goes out, so nobody ever sees FLUSH_IN_PROGRESS.
func (s *Service) FlushStageCache(c *awswire.Call, in *apigateway.FlushStageCacheRequest) error {
	if err := s.findStage(c, value(in.RestApiId), value(in.StageName)); err != nil {
		return err
	}
	s.responses.Flush(value(in.RestApiId), value(in.StageName))
	return nil
}

// Answers are what authorizers have answered for callers.
type Answers interface {
	// Flush forgets those of a stage.
	Flush(apiID, stage string)
}

// FlushStageAuthorizersCache forgets what authorizers have answered for a stage.
func (s *Service) FlushStageAuthorizersCache(c *awswire.Call, in *apigateway.FlushStageAuthorizersCacheRequest) error {
	if err := s.findStage(c, value(in.RestApiId), value(in.StageName)); err != nil {
		return err
	}
	s.answers.Flush(value(in.RestApiId), value(in.StageName))
	return nil
}

// findStage refuses a stage that isn't there.
func (s *Service) findStage(c *awswire.Call, apiID, name string) error {
	return s.store.View(c, func(tx *store.Tx) error {
		_, err := getStage(tx, c, apiID, name)
		return err
	})
}
