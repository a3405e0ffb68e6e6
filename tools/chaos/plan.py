"""What a run consists of: rounds, each with a load, stores or not, and a share of the kills.

Why:  the development stack's document store takes a tenth of what the pipeline does and keeps it all in
      memory; a run with it at full rate would measure the document store. So most rounds go without at
      the full rate, and some with everything at a rate that it bears.
"""

SHARES = (("tape", False, 0.5), ("flow", False, 0.2), ("tape", True, 0.3))
SMALL = 8           # kills up to which one round with everything is all
STORES_RATE = 600   # commands a second


def rounds(kills, rate, stores, flow, most):
    """[{"load", "stores", "kills", "round_rate"}]; most: kills of one round."""
    sorts = [(load, with_stores, share) for load, with_stores, share in SHARES
             if (stores or not with_stores) and (flow or load != "flow")]
    if kills <= SMALL:
        return [one_round("tape", stores, kills, rate)]
    whole = sum(share for _, _, share in sorts)
    found, left = [], kills
    for load, with_stores, share in sorts:
        mine = left if (load, with_stores, share) == sorts[-1] else round(kills * share / whole)
        left -= mine
        count = -(-mine // most)
        found += [one_round(load, with_stores, mine // count + (i < mine % count), rate) for i in range(count)]
    return [one for one in found if one["kills"]]


def one_round(load, stores, kills, rate):
    return {"load": load, "stores": stores, "kills": kills, "round_rate": min(rate, STORES_RATE) if stores else rate}
