package carrier

import (
	"encoding/json"
	"io"
	"net/http"

	"github.com/telepath-iot/telepath/peer/wire"
)

// MaxRefusal bounds what is read of an answer that is not the one hoped for, in bytes.
const MaxRefusal = 4 << 10

// ReadRefusal reads {"code","reason","remedy"} from an answer (protocol section
// 6.1), nil if it is none of the server's.
func ReadRefusal(answer *http.Response) *Refused {
	if answer.Body == nil || answer.StatusCode < http.StatusBadRequest {
		return nil
	}
	var body struct{ Code, Reason, Remedy string }
	err := json.NewDecoder(io.LimitReader(answer.Body, MaxRefusal)).Decode(&body)
	if err != nil || body.Code == "" {
		return nil
	}
	return &Refused{Status: answer.StatusCode, Code: wire.CodeByName(body.Code), Reason: body.Reason, Remedy: body.Remedy}
}
