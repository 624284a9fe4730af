package compile

import (
	"gatehouse/internal/awsapi/apigatewayv2"
	"gatehouse/internal/plan"
)

// cors compiles an API's CORS configuration, nil when it has none.
func cors(doc *apigatewayv2.Cors) *plan.CORS {
	if doc == nil {
		return nil
	}
	return plan.NewCORS(plan.CORSOptions{
		AllowOrigins:     doc.AllowOrigins,
		AllowMethods:     doc.AllowMethods,
		AllowHeaders:     doc.AllowHeaders,
		ExposeHeaders:    doc.ExposeHeaders,
		MaxAge:           doc.MaxAge,
		AllowCredentials: value(doc.AllowCredentials),
	})
}
