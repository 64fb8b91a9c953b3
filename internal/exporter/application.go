package exporter

// SetApplication remembers the name of an application, which exporters say in options
// data (RFC 6759): id is the applicationId as one number.
func (s *State) SetApplication(id uint64, name string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.applications == nil {
		s.applications = newLRU[uint64, string](s.table.config.MaxApplications)
	}
	s.applications.Add(id, name)
}

// Application returns the name that SetApplication remembered, "" if none.
func (s *State) Application(id uint64) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.applications == nil {
		return ""
	}
	name, _ := s.applications.Get(id)
	return name
}
