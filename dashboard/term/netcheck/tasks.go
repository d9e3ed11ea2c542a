package netcheck

// tasks are the steps of a run, in the order in which checks are shown.
func (s *survey) tasks() []task {
	step, open := share(s.cfg.Timeout, stepShare), share(s.cfg.Timeout, openShare)
	reached := nameDNS
	if s.proxy != nil {
		reached = nameProxy // which asks a name server of its own
	}
	rungs, latencies := s.rungTasks(open), s.latencyTasks(step)
	list := []task{
		{name: nameDNS, do: s.checkDNS},
		{name: nameTCP4, after: []string{nameDNS}, do: s.checkTCP4},
		{name: nameTCP6, after: []string{nameDNS}, do: s.checkTCP6},
		{name: nameIPv6, after: []string{nameDNS}, behind: []string{nameTCP6}, do: s.checkIPv6},
		{name: nameProxy, do: s.checkProxy},
		{name: stepReach, hidden: true, after: []string{reached}, do: s.reach},
		{name: stepHandshake, hidden: true, after: []string{stepReach}, do: s.shakeHands},
		{name: nameTLS, after: []string{stepReach}, behind: append(names(rungs), stepHandshake), do: s.checkTLS},
		{name: nameHTTP1, after: []string{stepHandshake}, do: s.checkHTTP1},
		{name: nameHTTP2, after: []string{stepHandshake}, do: s.checkHTTP2},
	}
	list = append(append(list, rungs...), latencies...)
	list = append(list,
		task{name: nameUDP, after: []string{nameDNS}, behind: names(rungs), do: s.checkUDP},
		task{name: nameNAT, after: []string{nameUDP}, do: s.checkMapping})
	list = append(list, s.channelTasks(names(rungs))...)
	list = append(list, s.turnTasks(names(rungs))...)
	list = append(list,
		task{name: nameClock, after: []string{nameHTTP1}, behind: names(latencies), do: s.checkClock})
	for i := range list {
		if list[i].bound == 0 {
			list[i].bound = step
		}
	}
	return list
}
