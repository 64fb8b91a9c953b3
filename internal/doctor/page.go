package doctor

import (
	"fmt"
	"net/http"
)

// diagnosePage looks at the console or at Grafana.
func diagnosePage(id, title, flag string, p *Page) *Stage {
	s := &Stage{ID: id, Title: title}
	switch {
	case p == nil:
		return s.skip(flag)
	case p.Err != nil:
		s.add(Problem, fmt.Sprintf("%s does not answer: %v", p.URL, p.Err), "See that it runs and that "+flag+" is its address. Flows are stored all the same.")
	case p.Problem != "":
		s.add(Problem, fmt.Sprintf("%s: %s", p.URL, p.Problem), "If a stage above has a problem, begin there. Otherwise the log of "+title+" says more.")
	case p.Status != http.StatusOK:
		s.add(Problem, fmt.Sprintf("%s answers with status %d", p.URL, p.Status), "Is "+flag+" the address of NetMeta's "+title+", or does a proxy in front of it refuse?")
	default:
		s.add(OK, p.URL+" answers", "")
	}
	if p.Note != "" {
		s.add(OK, p.Note, "")
	}
	return s
}

// diagnoseProbe says how far the flow of --probe came.
func diagnoseProbe(p Probe) *Stage {
	s := &Stage{ID: "probe", Title: "Probe"}
	switch {
	case p.Err != nil:
		s.add(Unknown, fmt.Sprintf("the flow to %s could not be followed: %v", p.To, p.Err), "")
	case p.Arrived > 0:
		s.add(OK, fmt.Sprintf("a flow that was sent to %s was stored after %s", p.To, span(p.Arrived)), "")
	case p.Reached == "":
		s.add(Problem, fmt.Sprintf("a datagram that was sent to %s did not arrive at a collector within %s", p.To, span(p.Waited)), "Is --netflow the address of the collector whose metrics are read? Otherwise a firewall or the network between here and there drops it.")
	default:
		s.add(Problem, fmt.Sprintf("a flow that was sent to %s was not stored within %s; the last stage that counted it is: %s", p.To, span(p.Waited), p.Reached), "Look at the stages behind that one.")
	}
	return s
}
