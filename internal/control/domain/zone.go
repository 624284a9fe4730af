package domain

// edgeZone is the hosted zone of CloudFront.
const edgeZone = "Z2FDTNDATAQYW2"

// regionalZones are the hosted zones of API Gateway's regional endpoints, which
// alias records name.
// https://docs.aws.amazon.com/general/latest/gr/apigateway.html
var regionalZones = map[string]string{
	"af-south-1":     "Z2DHW2332DAMTN",
	"ap-east-1":      "Z3FD1VL90ND7K5",
	"ap-northeast-1": "Z1YSHQZHG15GKL",
	"ap-northeast-2": "Z20JF4UZKIW1U8",
	"ap-northeast-3": "Z22ILHG95FLSZ2",
	"ap-south-1":     "Z3VO1THU9YC4UR",
	"ap-south-2":     "Z0853509Q1135NJ66RUH",
	"ap-southeast-1": "ZL327KTPIQFUL",
	"ap-southeast-2": "Z2RPCDW04V8134",
	"ap-southeast-3": "Z10132843TYUYSLUG4HA3",
	"ap-southeast-4": "Z092189423Y7RJK61311D",
	"ap-southeast-5": "Z0314042F0KBUTZ3X5HF",
	"ca-central-1":   "Z19DQILCV0OWEC",
	"ca-west-1":      "Z04745493436AWVTG1OQY",
	"eu-central-1":   "Z1U9ULNL0V5AJ3",
	"eu-central-2":   "Z09222482MK253X48U76H",
	"eu-north-1":     "Z3UWIKFBOOGXPP",
	"eu-south-1":     "Z3BT4WSQ9TDYZV",
	"eu-south-2":     "Z02499852UI5HEQ5JVWX3",
	"eu-west-1":      "ZLY8HYME6SFDD",
	"eu-west-2":      "ZJ5UAJN8Y3Z2Q",
	"eu-west-3":      "Z3KY65QIEKYHQQ",
	"il-central-1":   "Z07264553HBI44N5X2CKP",
	"me-central-1":   "Z08780021BKYYY8U0YHTV",
	"me-south-1":     "Z20ZBPC0SS8806",
	"sa-east-1":      "ZCMLWB8V5SYIT",
	"us-east-1":      "Z1UJRXOUMOOFQ8",
	"us-east-2":      "ZOJJZC49E0EPZ",
	"us-gov-east-1":  "Z3SE9ATJYCRCZJ",
	"us-gov-west-1":  "Z1K6XKP9SAGWDV",
	"us-west-1":      "Z2MUQ32089INYE",
	"us-west-2":      "Z2OJLYMUO9EFXC",
}

// regionalZone is the hosted zone of a region. One that AWS hasn't has that of
// us-east-1: there has to be one, and nobody but our own route53 reads it.
func regionalZone(region string) string {
	if zone, ok := regionalZones[region]; ok {
		return zone
	}
	return regionalZones["us-east-1"]
}
