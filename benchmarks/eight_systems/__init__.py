"""The eight systems of the paper on real photos: trained, exported, verified, timed, compared."""
