// Back from another site: the form goes on by itself; without a script its button does.
document.getElementById('go').submit()
