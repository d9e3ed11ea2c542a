package rest

import (
	"encoding/json"
	"fmt"
	"net/http"

	"github.com/telepath-iot/telepath/peer/signal"
	"github.com/telepath-iot/telepath/peer/telemetry"
)

// reply is the answer to a post.
type reply struct {
	status int
	body   []byte
}

// refusals are what was wrong with a post, the first of it one by one.
type refusals struct {
	count int
	first []refused
}

type refused struct {
	Line  int    `json:"line"`
	Error string `json:"error"`
}

// maxTold is how many refusals an answer tells one by one: enough to see what is wrong.
const maxTold = 20

func (r *refusals) add(line int, err error) {
	if r.count++; r.count <= maxTold {
		r.first = append(r.first, refused{line, err.Error()})
	}
}

// received says up to where the samples of a stream have come.
type received struct {
	Epoch string `json:"epoch"`
	Seq   uint64 `json:"seq"`   // of the last sample
	Count int    `json:"count"` // samples of this post
	Level string `json:"level"` // "received": they are in memory
}

// outcome is the JSON of a reply.
type outcome struct {
	Code   string `json:"code,omitempty"` // where nothing was taken, as in any refusal
	Reason string `json:"reason,omitempty"`
	Remedy string `json:"remedy,omitempty"`

	Device       string              `json:"device,omitempty"`
	ID           string              `json:"id,omitempty"`
	Taken        int                 `json:"taken"`               // samples
	Described    int                 `json:"described,omitempty"` // streams
	Refused      int                 `json:"refused"`             // lines, or records of them
	Acknowledged map[string]received `json:"acknowledged"`        // by stream
	Errors       []refused           `json:"errors,omitempty"`    // the first of those refused
}

// accepted is the reply where something was taken, or there was nothing to take.
func (r *Rest) accepted(d *device, t *taken) reply {
	o := outcome{
		Device: d.name, ID: d.host.ID(), Taken: t.samples, Described: t.described,
		Refused: t.refused.count, Errors: t.refused.first, Acknowledged: map[string]received{},
	}
	for _, s := range t.streams {
		at := s.out.Position()
		o.Acknowledged[s.name] = received{signal.FormatEpoch(at.Epoch), at.Seq, s.count, "received"}
	}
	if t.samples+t.described == 0 && t.refused.count > 0 {
		return r.rejected(t.refused)
	}
	r.counts.took(t)
	return o.reply(http.StatusOK)
}

// rejected is the reply where all is wrong.
func (r *Rest) rejected(wrong refusals) reply {
	r.counts.took(&taken{refused: wrong})
	return outcome{
		Code: "malformed", Remedy: "see docs/running.md for what a line may be",
		Reason:  fmt.Sprintf("nothing was taken; line %d: %s", wrong.first[0].Line, wrong.first[0].Error),
		Refused: wrong.count, Errors: wrong.first, Acknowledged: map[string]received{},
	}.reply(http.StatusBadRequest)
}

func (o outcome) reply(status int) reply {
	raw, err := json.Marshal(o)
	if err != nil { // texts and numbers always encode
		raw = []byte("{}")
	}
	return reply{status, append(telemetry.AppendJSON(nil, json.RawMessage(raw)), '\n')}
}
