package people

// Hurry lets tests that are not about the pace go without it.
func (v *Service) Hurry() { v.pace = newPace(0) }
