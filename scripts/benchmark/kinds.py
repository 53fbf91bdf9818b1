"""Which contestants do the same work. A contestant is seen as its record in the output: family, form, variant, role."""


def whole(one):
    """Ours, with payloads that are whole on both sides."""
    return one["role"] == "ours" and one["variant"] != "piecewise"


def piecewise(one):
    return one["role"] == "ours" and one["variant"] == "piecewise"


def of(family, *forms):
    return lambda one: one["family"] == family and (not forms or one["form"] in forms)


def ours_in(cell_id):
    """What stands for us in a cell."""
    return piecewise if cell_id.startswith("piecewise-") else whole


def comparable(one, cell_id):
    """Whether someone else's work in a cell is the same as ours: `block` never has a whole payload."""
    hot_buffer = one["family"] == "socket" and one["form"] == "block"
    return one["role"] != "ours" and (not hot_buffer or cell_id.startswith("piecewise-"))
